using System.Diagnostics;
using PSModel.Core.Buffers;
using PSModel.Core.Faults;
using PSModel.Core.Registry;
using PSModel.Core.Scheduling;

namespace PSModel.Core.Lanes;

/// <summary>
/// Runs the lanes of a call: one lock around one <see cref="Scheduler"/>, which decides; here are the threads, the clock and the
/// waiting. Thread-safe.
/// </summary>
internal sealed class LanePool : IDisposable
{
    /// <summary>How often the flow is looked at, and how long a wake-up can be missed.</summary>
    private const int Look = 50;

    /// <summary>Lanes that wait for room are woken for so many buffers at a time.</summary>
    private const int WorthwhileRoom = 8;

    private static readonly TimeSpan LongestSilentWait = TimeSpan.FromSeconds(5);

    private readonly object _gate = new();
    private readonly Scheduler _scheduler;
    private readonly RateLimiter _limiter;
    private readonly Action<string> _tell;
    private readonly Action<string> _trace;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly CancellationTokenSource _stop;
    private readonly CancellationToken _stopped;
    private readonly List<Task> _threads = [];
    private readonly List<Lane> _interrupted = [];
    private int _waitingForRoom;
    private int _freed;

    /// <summary>Starts the pool; its first lane starts with the first blob.</summary>
    /// <param name="options">The bounds.</param>
    /// <param name="limiter">Holds all lanes together to a bandwidth.</param>
    /// <param name="tell">Told what users may want to know.</param>
    /// <param name="trace">Told of each failure that is mended.</param>
    /// <param name="cancellationToken">Ends all lanes, and every wait.</param>
    public LanePool(ScheduleOptions options, RateLimiter limiter, Action<string> tell, Action<string> trace, CancellationToken cancellationToken)
    {
        _scheduler = new Scheduler(options);
        _limiter = limiter;
        _tell = tell;
        _trace = trace;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _stopped = _stop.Token;
        _threads.Add(BlockingWork.RunAsync(Watch));
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
            StartLanes();
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

    /// <summary>Ends all lanes, and returns when they have ended.</summary>
    public void Dispose()
    {
        _stop.Cancel();
        lock (_gate)
        {
            Monitor.PulseAll(_gate);
        }

        // No lane starts another one any more, so the list is whole.
        Task[] threads;
        lock (_gate)
        {
            threads = [.. _threads];
        }

        foreach (Task thread in threads)
        {
            thread.ContinueWith(static ended => _ = ended.Exception, TaskScheduler.Default).Wait();
        }

        _stop.Dispose();
    }

    /// <summary>What a lane does now; blocks until there is something.</summary>
    /// <returns><see langword="null"/> where the lane ends.</returns>
    internal LaneTask? Next(Lane lane, CancellationToken stop)
    {
        lock (_gate)
        {
            while (!stop.IsCancellationRequested)
            {
                LaneOrder order = _scheduler.Next(lane.Schedule, Now);
                switch (order.Kind)
                {
                    case LaneOrderKind.Leave:
                        return null;
                    case LaneOrderKind.Fetch:
                        Monitor.PulseAll(_gate);
                        return TaskOf(lane);
                    default:
                        Monitor.Wait(_gate, (int)Math.Max(1, Math.Min(order.Until - Now, 4 * Look)));
                        break;
                }
            }

            return null;
        }
    }

    /// <summary>A lane's request was answered, or its last answer goes on with the new segment.</summary>
    internal void Opened(Lane lane)
    {
        lock (_gate)
        {
            _scheduler.Opened(lane.Schedule, Now);
        }
    }

    /// <summary>Waits until a lane may read on, with the buffer that it has, or one that it rents afterwards.</summary>
    /// <param name="lane">The lane.</param>
    /// <param name="attempt">Ends the wait.</param>
    /// <returns>The end of its segment; <see langword="null"/> where that is no longer the lane's to fetch.</returns>
    internal long? WaitForRoom(Lane lane, CancellationToken attempt)
    {
        lock (_gate)
        {
            while (true)
            {
                attempt.ThrowIfCancellationRequested();
                switch (_scheduler.Room(lane.Schedule, lane.NeedsBuffer, Now))
                {
                    case RoomOrder.GoOn:
                        return lane.Schedule.Segment!.End;
                    case RoomOrder.Drop:
                        return null;
                    default:
                        lane.LetGoOfBuffer();
                        _waitingForRoom++;
                        Monitor.Wait(_gate, Look);
                        _waitingForRoom--;
                        break;
                }
            }
        }
    }

    /// <summary>A buffer, after <see cref="WaitForRoom"/> has allowed one.</summary>
    internal static SharedBuffer Rent() => BufferPool.Shared.Rent();

    /// <summary>Bytes arrived.</summary>
    /// <returns>Those that were of use.</returns>
    internal int Received(Lane lane, SharedBuffer buffer, int start, long position, int length)
    {
        int useful;
        lock (_gate)
        {
            useful = _scheduler.Received(lane.Schedule, buffer, start, position, length, Now);
        }

        Interrupt();
        return useful;
    }

    /// <summary>A lane no longer fetches its segment, if it still has that one.</summary>
    internal void Leave(Lane lane, Segment segment)
    {
        lock (_gate)
        {
            if (lane.Schedule.Segment == segment)
            {
                Scheduler.Leave(lane.Schedule);
            }
        }
    }

    /// <summary>The server ignores ranges.</summary>
    /// <returns>Whether the lane may go on with what it gets.</returns>
    internal bool IgnoresRanges(Lane lane)
    {
        lock (_gate)
        {
            return _scheduler.IgnoresRanges(lane.Schedule);
        }
    }

    /// <summary>A lane's attempt failed.</summary>
    internal void Failed(Lane lane, BlobFetch blob, Exception error)
    {
        ModelFaultException? fault = error as ModelFaultException;
        long? retryAfter = (long?)fault?.RetryAfter?.TotalMilliseconds;
        blob.Meter.CountRetry();
        blob.Meter.ServerWait(fault?.RetryAfter);
        if (fault?.RetryAfter is { } wait && wait > LongestSilentWait)
        {
            _tell($"{error.Message} It asks to be left alone for {wait.TotalSeconds:0} seconds.");
        }
        else
        {
            _trace(error.Message);
        }

        lock (_gate)
        {
            FetchFailure failure = new(error, fault?.IsTransient == true, fault is { Facts.StatusCode: not null }, retryAfter);
            if (_scheduler.Failed(lane.Schedule, failure, Now) is { } final)
            {
                Drop(blob, final);
            }

            Monitor.PulseAll(_gate);
        }

        Interrupt();
    }

    /// <summary>Breaks off what a lane reads, once the lock is free: what hears of it may take time. Under the lock.</summary>
    internal void InterruptLater(Lane lane) => _interrupted.Add(lane);

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

    private LaneTask TaskOf(Lane lane)
    {
        Segment segment = lane.Schedule.Segment!;
        BlobFetch blob = (BlobFetch)segment.Blob;
        bool isAlone = _scheduler.Limit.Target == 1;
        return new LaneTask(segment, blob, segment.Frontier, segment.End, blob.EndOfRequest(segment, isAlone));
    }

    private void StartLanes()
    {
        while (_scheduler.WantsLane && !_stopped.IsCancellationRequested)
        {
            Lane lane = new(this, _limiter);
            _scheduler.Enter(lane.Schedule);
            _threads.RemoveAll(thread => thread.IsCompleted);
            _threads.Add(BlockingWork.RunAsync(() => Run(lane)));
        }
    }

    private void Run(Lane lane)
    {
        try
        {
            lane.Run(_stopped);
        }
        finally
        {
            lane.Dispose();
            lock (_gate)
            {
                _scheduler.Exit(lane.Schedule);
            }
        }
    }

    private void Watch()
    {
        while (!_stopped.WaitHandle.WaitOne(Look))
        {
            lock (_gate)
            {
                _scheduler.Tick(!_limiter.IsHolding, Now);
                StartLanes();
                Monitor.PulseAll(_gate);
            }
        }
    }
}
