using System.Diagnostics;
using PSModel.Core.Buffers;
using PSModel.Core.Faults;
using PSModel.Core.Registry;
using PSModel.Core.Scheduling;

namespace PSModel.Core.Lanes;

/// <summary>
/// The one lock around the <see cref="Scheduler"/> of a call, which decides; here are the clock and the waiting. Thread-safe.
/// </summary>
internal sealed partial class SharedSchedule
{
    /// <summary>How long a wake-up can be missed, in milliseconds.</summary>
    private const int Look = 50;

    /// <summary>Lanes that wait for room are woken for so many buffers at a time.</summary>
    private const int WorthwhileRoom = 8;

    private static readonly TimeSpan LongestSilentWait = TimeSpan.FromSeconds(5);

    private readonly object _gate = new();
    private readonly Scheduler _scheduler;
    private readonly Action<string> _tell;
    private readonly Action<string> _trace;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly CancellationToken _stopped;
    private readonly List<Lane> _interrupted = [];
    private int _waitingForRoom;
    private int _freed;

    /// <summary>Begins without blobs and lanes.</summary>
    /// <param name="options">The bounds.</param>
    /// <param name="tell">Told what users may want to know.</param>
    /// <param name="trace">Told of each failure that is mended.</param>
    /// <param name="stopped">Ends every wait.</param>
    public SharedSchedule(ScheduleOptions options, Action<string> tell, Action<string> trace, CancellationToken stopped)
    {
        _scheduler = new Scheduler(options);
        _tell = tell;
        _trace = trace;
        _stopped = stopped;
    }

    /// <summary>The bytes of blobs that will still be added.</summary>
    public long Pending
    {
        set
        {
            lock (_gate)
            {
                _scheduler.Pending = value;
            }
        }
    }

    /// <summary>The bytes that the blobs in the pool will still take on the disk.</summary>
    public long Missing
    {
        get
        {
            lock (_gate)
            {
                return _scheduler.Blobs.Sum(blob => blob.Missing);
            }
        }
    }

    private long Now => _clock.ElapsedMilliseconds;

    /// <summary>Fetches a blob, after those that were added before.</summary>
    public void Add(BlobFetch blob)
    {
        lock (_gate)
        {
            _scheduler.Add(blob, Now);
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Takes a blob back, finished or not.</summary>
    /// <param name="blob">The blob.</param>
    /// <param name="error">Why it failed, if it did.</param>
    public void Remove(BlobFetch blob, Exception? error = null)
    {
        lock (_gate)
        {
            Drop(blob, error);
        }

        Interrupt();
    }

    /// <summary>Waits until another blob should be added.</summary>
    /// <param name="longest">The longest wait.</param>
    /// <returns>Whether one should.</returns>
    /// <exception cref="OperationCanceledException">The call was stopped.</exception>
    public bool WaitUntilBlobIsWanted(TimeSpan longest)
    {
        long end = Now + (long)longest.TotalMilliseconds;
        lock (_gate)
        {
            while (!_scheduler.WantsBlob)
            {
                _stopped.ThrowIfCancellationRequested();
                if (Now >= end)
                {
                    return false;
                }

                Monitor.Wait(_gate, Look);
            }

            return true;
        }
    }

    /// <summary>Hash and disk both have a chunk.</summary>
    public void Release(BlobFetch blob, Chunk chunk)
    {
        lock (_gate)
        {
            blob.Release(chunk.Length, Now);
            ReturnIfUnused(chunk.Buffer);
        }
    }

    /// <summary>A chunk is of no use.</summary>
    public void LetGo(SharedBuffer buffer)
    {
        lock (_gate)
        {
            ReturnIfUnused(buffer);
        }
    }

    /// <summary>A checkpoint that covers so many of the blob's fetched bytes is safe on the disk.</summary>
    public void MarkDurable(BlobFetch blob, long bytes)
    {
        lock (_gate)
        {
            blob.Durable = bytes;
            Monitor.PulseAll(_gate);
        }
    }

    private void Interrupt()
    {
        Lane[] lanes;
        lock (_gate)
        {
            if (_interrupted.Count == 0)
            {
                return;
            }

            lanes = [.. _interrupted];
            _interrupted.Clear();
        }

        foreach (Lane lane in lanes)
        {
            lane.Interrupt();
        }
    }

    private void Drop(BlobFetch blob, Exception? error)
    {
        foreach (Chunk chunk in _scheduler.Remove(blob, error))
        {
            ReturnIfUnused(chunk.Buffer);
        }

        Monitor.PulseAll(_gate);
    }

    private void ReturnIfUnused(SharedBuffer buffer)
    {
        if (!buffer.LetGo())
        {
            return;
        }

        _scheduler.Returned();
        BufferPool.Shared.Return(buffer);
        if (_waitingForRoom > 0 && ++_freed >= WorthwhileRoom)
        {
            _freed = 0;
            Monitor.PulseAll(_gate);
        }
    }
}
