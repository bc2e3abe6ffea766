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
    private readonly int _longestSleep;
    private readonly CancellationToken _stopped;
    private readonly List<Lane> _interrupted = [];

    /// <summary>Lanes without work, each asleep on its own signal: where one blob comes, one is woken. Those that wait for room,
    /// of which several may be served at a time, wait for the lock itself.</summary>
    private readonly List<Signal> _idle = [];

    private readonly Signal _feeder = new();
    private bool _isFeederWaiting;
    private int _waitingForRoom;
    private int _freed;

    /// <summary>Begins without blobs and lanes.</summary>
    /// <param name="options">The bounds.</param>
    /// <param name="tell">Told what users may want to know.</param>
    /// <param name="trace">Told of each failure that is mended.</param>
    /// <param name="stopped">Ends every wait.</param>
    /// <param name="longestSleep">How long a lane without work sleeps that nothing wakes, in milliseconds.</param>
    public SharedSchedule(ScheduleOptions options, Action<string> tell, Action<string> trace, CancellationToken stopped, int longestSleep = 4 * Look)
    {
        _longestSleep = longestSleep;
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
            WakeForWork();
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
        while (true)
        {
            lock (_gate)
            {
                _isFeederWaiting = !_scheduler.WantsBlob;
                if (!_isFeederWaiting)
                {
                    return true;
                }
            }

            _stopped.ThrowIfCancellationRequested();
            if (Now >= end)
            {
                return false;
            }

            _feeder.Wait(Look);
        }
    }

    /// <summary>Hash and disk both have a chunk.</summary>
    public void Release(BlobFetch blob, Chunk chunk)
    {
        lock (_gate)
        {
            bool wasHeldBack = _scheduler.IsHeldBack(blob);
            blob.Release(chunk.Length, Now);
            ReturnIfUnused(chunk.Buffer);
            if (wasHeldBack && !_scheduler.IsHeldBack(blob))
            {
                // Hash and disk would have used up what there is before the next look, and not each lane may go on with the blob.
                WakeAll();
            }
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

        WakeFeeder();
        Monitor.PulseAll(_gate);
    }

    /// <summary>There is work for one lane more. Under the lock.</summary>
    private void WakeForWork()
    {
        WakeFeeder();
        Monitor.PulseAll(_gate);
        if (_idle.Count > 0)
        {
            // The one that went to sleep last: its connection is the youngest.
            _idle[_idle.Count - 1].Set();
            _idle.RemoveAt(_idle.Count - 1);
        }
    }

    /// <summary>Under the lock.</summary>
    private void WakeAll()
    {
        WakeFeeder();
        Monitor.PulseAll(_gate);
        _idle.ForEach(idle => idle.Set());
        _idle.Clear();
    }

    /// <summary>Wakes who adds blobs, where one is wanted or none is any more: woken for each step of each lane, it would look, and go
    /// to sleep again.</summary>
    private void WakeFeeder()
    {
        if (_isFeederWaiting && (_stopped.IsCancellationRequested || _scheduler.WantsBlob))
        {
            _isFeederWaiting = false;
            _feeder.Set();
        }
    }

    private void ReturnIfUnused(SharedBuffer buffer)
    {
        if (!buffer.LetGo())
        {
            return;
        }

        bool wasFull = _scheduler.IsFull;
        _scheduler.Returned();
        BufferPool.Shared.Return(buffer);
        if (wasFull && !_scheduler.IsFull)
        {
            WakeForWork();
        }

        if (_waitingForRoom > 0 && ++_freed >= WorthwhileRoom)
        {
            _freed = 0;
            Monitor.PulseAll(_gate);
        }
    }
}
