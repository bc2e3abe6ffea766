using System.Collections.Concurrent;
using System.Diagnostics;
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
    private readonly BlockingCollection<(FinishedBlob Blob, TaskCompletionSource<bool> Done)> _waiting = [];
    private readonly Lazy<Task> _thread;

    /// <summary>Makes a queue; its thread starts with the first blob.</summary>
    public CommitQueue(BlobCommit commit, CancellationToken cancellationToken)
    {
        _commit = commit;
        _thread = new Lazy<Task>(() => BlockingWork.RunAsync(() => Run(cancellationToken)));
    }

    /// <summary>Commits a blob; returns at once. How many may wait is the caller's to bound.</summary>
    /// <returns>Ends when the blob is in the store, or with the reason why it is not. What follows it runs on the queue's thread,
    /// so it must neither take long nor dispose of the queue.</returns>
    public Task CommitAsync(FinishedBlob blob)
    {
        // What follows runs on the queue's thread, so that the blobs of a batch end in their order.
        TaskCompletionSource<bool> done = new();
        _waiting.Add((blob, done));
        _ = _thread.Value;
        return done.Task;
    }

    /// <summary>Returns when everything in the queue is committed.</summary>
    public void Dispose()
    {
        _waiting.CompleteAdding();
        if (_thread.IsValueCreated)
        {
            _thread.Value.Wait();
        }

        _waiting.Dispose();
    }

    private void Run(CancellationToken cancellationToken)
    {
        foreach ((FinishedBlob, TaskCompletionSource<bool>) first in _waiting.GetConsumingEnumerable(CancellationToken.None))
        {
            List<(FinishedBlob Blob, TaskCompletionSource<bool> Done)> batch = [first];
            Stopwatch clock = Stopwatch.StartNew();
            while (batch.Count < LargestBatch && _waiting.TryTake(out (FinishedBlob, TaskCompletionSource<bool>) next, (int)Math.Max(0, Gathering - clock.ElapsedMilliseconds), CancellationToken.None))
            {
                batch.Add(next);
            }

            Exception?[] failures = Commit([.. batch.Select(item => item.Blob)], cancellationToken);
            for (int i = 0; i < batch.Count; i++)
            {
                if (failures[i] is { } failure)
                {
                    batch[i].Done.SetException(failure);
                }
                else
                {
                    batch[i].Done.SetResult(true);
                }
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
}
