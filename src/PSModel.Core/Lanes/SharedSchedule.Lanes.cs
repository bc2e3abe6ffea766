using PSModel.Core.Buffers;
using PSModel.Core.Faults;
using PSModel.Core.Scheduling;

namespace PSModel.Core.Lanes;

/// <summary>What lanes ask and report.</summary>
internal sealed partial class SharedSchedule
{
    /// <summary>A lane begins, where one more is wanted.</summary>
    /// <param name="make">Makes it.</param>
    public Lane? TryEnter(Func<Lane> make)
    {
        lock (_gate)
        {
            if (!_scheduler.WantsLane || _stopped.IsCancellationRequested)
            {
                return null;
            }

            Lane lane = make();
            _scheduler.Enter(lane.Schedule);
            return lane;
        }
    }

    /// <summary>A lane has ended.</summary>
    public void Exit(Lane lane)
    {
        lock (_gate)
        {
            _scheduler.Exit(lane.Schedule);
        }
    }

    /// <summary>Looks at the flow.</summary>
    /// <param name="mayGrow">Whether more bytes may come at all.</param>
    /// <param name="isBusy">Whether this process has little processor time left.</param>
    public void Tick(bool mayGrow, bool isBusy)
    {
        lock (_gate)
        {
            _scheduler.Tick(mayGrow, isBusy, Now);
            WakeAll();
        }
    }

    /// <summary>Lets all that wait look about them, as when the call has been stopped.</summary>
    public void Wake()
    {
        lock (_gate)
        {
            WakeAll();
        }
    }

    /// <summary>What a lane does now; blocks until there is something.</summary>
    /// <param name="lane">The lane.</param>
    /// <param name="connected">The blob of the answer that it still has open, if it has.</param>
    /// <param name="hasEnded">Whether the lane ends.</param>
    /// <returns><see langword="null"/> where the lane ends, or has to let go of its connection before it waits: the answer cannot
    /// go on with anything, and a server may allow no other.</returns>
    public LaneTask? Next(Lane lane, BlobFetch? connected, out bool hasEnded)
    {
        hasEnded = false;
        while (true)
        {
            int wait;
            lock (_gate)
            {
                _idle.Remove(lane.Idle);
                LaneOrder order = _stopped.IsCancellationRequested ? LaneOrder.Leave : _scheduler.Next(lane.Schedule, Now);
                switch (order.Kind)
                {
                    case LaneOrderKind.Leave:
                        // At once: the next that asks would take it for one that stays, and leave as well.
                        _scheduler.Exit(lane.Schedule);
                        hasEnded = true;
                        return null;
                    case LaneOrderKind.Fetch:
                        WakeFeeder();
                        if (_scheduler.HasUnclaimed)
                        {
                            WakeForWork();
                        }

                        return TaskOf(lane);
                    case LaneOrderKind.Wait when connected is not null && (connected.Unclaimed == 0 || (connected.Owner ?? lane.Schedule) != lane.Schedule):
                        return null;
                    default:
                        wait = (int)Math.Max(1, Math.Min(order.Until - Now, _longestSleep));
                        _idle.Add(lane.Idle);
                        break;
                }
            }

            lane.Idle.Wait(wait);
        }
    }

    /// <summary>A lane's request was answered, or its last answer goes on with the new segment.</summary>
    public void Opened(Lane lane)
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
    public long? WaitForRoom(Lane lane, CancellationToken attempt)
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
                        WakeForWork();
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
    public static SharedBuffer Rent() => BufferPool.Shared.Rent();

    /// <summary>Bytes arrived.</summary>
    /// <returns>Those that were of use.</returns>
    public int Received(Lane lane, SharedBuffer buffer, int start, long position, int length)
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
    public void Leave(Lane lane, Segment segment)
    {
        lock (_gate)
        {
            if (lane.Schedule.Segment == segment)
            {
                Scheduler.Leave(lane.Schedule);
                WakeForWork();
            }
        }
    }

    /// <summary>The server ignores ranges.</summary>
    /// <returns>Whether the lane may go on with what it gets.</returns>
    public bool IgnoresRanges(Lane lane)
    {
        lock (_gate)
        {
            return _scheduler.IgnoresRanges(lane.Schedule);
        }
    }

    /// <summary>A lane's attempt failed.</summary>
    public void Failed(Lane lane, BlobFetch blob, Exception error)
    {
        ModelFaultException? fault = error as ModelFaultException;
        long? retryAfter = (long?)fault?.RetryAfter?.TotalMilliseconds;
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
            if (_scheduler.Failed(lane.Schedule, failure, Now, out bool isRepeated) is { } final)
            {
                Drop(blob, final);
            }

            if (isRepeated)
            {
                blob.Meter.CountRetry();
            }

            WakeForWork();
        }

        Interrupt();
    }

    /// <summary>Breaks off what a lane reads, once the lock is free: what hears of it may take time. Under the lock.</summary>
    public void InterruptLater(Lane lane) => _interrupted.Add(lane);

    private LaneTask TaskOf(Lane lane)
    {
        Segment segment = lane.Schedule.Segment!;
        BlobFetch blob = (BlobFetch)segment.Blob;
        bool isAlone = _scheduler.Limit.Target == 1;
        return new LaneTask(segment, blob, segment.Frontier, segment.End, blob.EndOfRequest(segment, isAlone));
    }
}
