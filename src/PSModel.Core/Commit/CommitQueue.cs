using System.Diagnostics;
using PSModel.Core.Buffers;
using PSModel.Core.Registry;

namespace PSModel.Core.Commit;

/// <summary>
/// Commits small blobs in batches, on a thread of its own: while one batch is being flushed the next one gathers. Thread-safe.
/// </summary>
internal sealed class CommitQueue : IDisposable
{
    /// <summary>Files that are open at the same time.</summary>
    private const int LargestBatch = 128;

    /// <summary>How long a batch gathers, in milliseconds: about as long as a flush takes.</summary>
    private const int Gathering = 10;

    private readonly BlobCommit _commit;
    private readonly BlockingQueue<Item> _waiting = new();
    private readonly Lazy<Task> _thread;

    /// <summary>Makes a queue; its thread starts with the first blob.</summary>
    public CommitQueue(BlobCommit commit, CancellationToken cancellationToken)
    {
        _commit = commit;
        _thread = new Lazy<Task>(() => BlockingWork.RunAsync(() => Run(cancellationToken)));
    }

    /// <summary>Runs a step on the queue's thread; returns at once. It must neither take long, nor throw, nor dispose of the
    /// queue.</summary>
    public void Post(Action step) => Add(new Item(step, Blob: null, Done: null));

    /// <summary>Commits a blob; returns at once. How many may wait is the caller's to bound.</summary>
    /// <returns>Ends when the blob is in the store, or with the reason why it is not. What follows it is a step of the queue's
    /// thread, as with <see cref="Post"/>.</returns>
    public Task CommitAsync(FinishedBlob blob)
    {
        // What follows runs on the queue's thread, so that the blobs of a batch end in their order.
        TaskCompletionSource<bool> done = new();
        Add(new Item(Step: null, blob, done));
        return done.Task;
    }

    /// <summary>Returns when everything in the queue is committed.</summary>
    public void Dispose()
    {
        _waiting.Complete();
        if (_thread.IsValueCreated)
        {
            _thread.Value.Wait();
        }
    }

    private void Add(Item item)
    {
        _waiting.Add(item);
        _ = _thread.Value;
    }

    private void Run(CancellationToken cancellationToken)
    {
        List<Item> batch = [];
        Stopwatch sinceFirst = new();
        while (_waiting.Take(out Item item))
        {
            Gather(item, batch, sinceFirst);
            while (batch.Count is > 0 and < LargestBatch && TryTakeNext(LargestBatch - batch.Count, (int)(Gathering - sinceFirst.ElapsedMilliseconds), out item))
            {
                Gather(item, batch, sinceFirst);
            }

            if (batch.Count > 0)
            {
                Commit(batch, cancellationToken);
                batch.Clear();
            }
        }
    }

    /// <summary>What is there already costs nothing; what may still come is waited for together.</summary>
    private bool TryTakeNext(int most, int milliseconds, out Item item)
    {
        if (_waiting.TryTake(out item))
        {
            return true;
        }

        _waiting.WaitFor(most, milliseconds);
        return _waiting.TryTake(out item);
    }

    private static void Gather(Item item, List<Item> batch, Stopwatch sinceFirst)
    {
        item.Step?.Invoke();
        if (item.Blob is not null)
        {
            batch.Add(item);
            if (batch.Count == 1)
            {
                sinceFirst.Restart();
            }
        }
    }

    private void Commit(List<Item> batch, CancellationToken cancellationToken)
    {
        Exception?[] failures = Commit([.. batch.Select(item => item.Blob!)], cancellationToken);
        for (int i = 0; i < batch.Count; i++)
        {
            if (failures[i] is { } failure)
            {
                batch[i].Done!.SetException(failure);
            }
            else
            {
                batch[i].Done!.SetResult(true);
            }
        }
    }

    /// <summary>Whatever it is, it must not end the thread: those that wait for their blobs would wait for ever.</summary>
    private Exception?[] Commit(FinishedBlob[] blobs, CancellationToken cancellationToken)
    {
        try
        {
            return _commit.RunAsync(blobs, cancellationToken).GetAwaiter().GetResult();
        }
        catch (Exception e)
        {
            return [.. blobs.Select(_ => e)];
        }
    }

    /// <summary>A step, or a blob to be committed.</summary>
    private readonly record struct Item(Action? Step, FinishedBlob? Blob, TaskCompletionSource<bool>? Done);
}
