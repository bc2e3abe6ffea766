using PSModel.Core.Buffers;

namespace PSModel.Core.Scheduling;

/// <summary>
/// Decides what each lane does now: over all blobs of a call, with one budget of buffers. Lanes go to the earliest blob that can
/// use one. Pure: time and events are given to it, it starts no threads and waits for nothing. For one thread at a time.
/// Times are in milliseconds since any moment.
/// </summary>
internal sealed class Scheduler
{
    /// <summary>A connection that brings less than this before it is cut is no reason to ask again at once.</summary>
    public const int WorthwhileBytes = 64 * 1024;

    private readonly List<BlobSchedule> _blobs = [];
    private readonly List<LaneSchedule> _lanes = [];
    private readonly ScheduleOptions _options;
    private readonly WorkChoice _choice;
    private readonly RetryCount _retries;
    private readonly LaneDemand _demand;
    private long _lastLook;

    /// <summary>Begins without blobs and lanes.</summary>
    public Scheduler(ScheduleOptions options)
    {
        _options = options;
        _choice = new WorkChoice(options);
        Limit = new LaneLimit(options.Lanes);
        _demand = new LaneDemand(options, Limit);
        _retries = new RetryCount(options, Limit);
    }

    /// <summary>How many lanes bring more than fewer would.</summary>
    public LaneLimit Limit { get; }

    /// <summary>The blobs that are not finished, in the order in which they are to be.</summary>
    public IReadOnlyList<BlobSchedule> Blobs => _blobs;

    public IReadOnlyList<LaneSchedule> Lanes => _lanes;

    /// <summary>The buffers that are in use.</summary>
    public int Rented { get; private set; }

    /// <summary>The bytes of blobs that will still be added.</summary>
    public long Pending { get; set; }

    /// <summary>Whether another blob should be added, so that no lane is without work.</summary>
    public bool WantsBlob => _choice.WantsBlob(_blobs, Limit.Target);

    /// <summary>Whether there are bytes that no lane has begun with.</summary>
    public bool HasUnclaimed => _blobs.Exists(static blob => blob.State == BlobState.Open && blob.Unclaimed > 0);

    /// <summary>Whether another lane should be started.</summary>
    public bool WantsLane => _lanes.Count < _demand.Wanted(_blobs) && _blobs.Exists(blob => blob.State == BlobState.Open);

    public void Add(BlobSchedule blob, long now)
    {
        blob.Begin(now);
        _blobs.Add(blob);
    }

    /// <summary>Takes a blob back, finished or not: nothing more is delivered.</summary>
    /// <param name="blob">The blob.</param>
    /// <param name="error">Why it failed, if it did.</param>
    /// <returns>What arrived and was not delivered.</returns>
    public IReadOnlyList<Chunk> Remove(BlobSchedule blob, Exception? error = null)
    {
        IReadOnlyList<Chunk> undelivered = blob.Close(error);
        _blobs.Remove(blob);
        _lanes.FindAll(lane => lane.Segment?.Blob == blob).ForEach(lane => lane.Interrupt());
        return undelivered;
    }

    /// <summary>A lane begins.</summary>
    public void Enter(LaneSchedule lane) => _lanes.Add(lane);

    /// <summary>A lane ends, or was told to.</summary>
    public void Exit(LaneSchedule lane)
    {
        Leave(lane);
        Disown(lane, except: null);
        _lanes.Remove(lane);
    }

    /// <summary>A lane asks what to do; one that has a segment already fetches that.</summary>
    public LaneOrder Next(LaneSchedule lane, long now)
    {
        if (lane.Segment is not null)
        {
            return LaneOrder.Fetch;
        }

        if ((_lanes.Count > _demand.Wanted(_blobs) && !IsOwner(lane)) || (lane.MustLeave && _lanes.Count > 1))
        {
            return LaneOrder.Leave;
        }

        lane.MustLeave = false;
        if (lane.NotBefore > now)
        {
            return LaneOrder.Wait(lane.NotBefore);
        }

        if (_choice.Choose(_blobs, _lanes, lane, _demand, Pending, Rented, now) is not { } segment)
        {
            return LaneOrder.Wait(_blobs.Where(blob => blob.NotBefore > now).Select(blob => blob.NotBefore).DefaultIfEmpty(long.MaxValue).Min());
        }

        Take(lane, segment, now);
        return LaneOrder.Fetch;
    }

    /// <summary>The answer to a lane's request is there.</summary>
    public void Opened(LaneSchedule lane, long now)
    {
        _choice.NoteOpening(now - lane.ClaimedAt);
        _retries.NoteServed(now);
        lane.BeginReading(now);
    }

    /// <summary>A lane wants to read on.</summary>
    /// <param name="lane">The lane.</param>
    /// <param name="needsBuffer">Whether it has none with room left.</param>
    /// <param name="now">The time.</param>
    public RoomOrder Room(LaneSchedule lane, bool needsBuffer, long now)
    {
        Segment segment = lane.Segment!;
        if (segment.IsComplete || segment.Blob.State != BlobState.Open)
        {
            return RoomOrder.Drop;
        }

        if (_choice.HasRoom(segment, needsBuffer, Rented))
        {
            Rented += needsBuffer ? 1 : 0;
            lane.Resume(now);
            return RoomOrder.GoOn;
        }

        if (_choice.MoreUrgent(_blobs, segment, now) is { } urgent)
        {
            Leave(lane);
            WorkChoice.ShareOut(urgent, _lanes);
            Take(lane, urgent, now);
            return RoomOrder.Drop;
        }

        lane.Phase = LanePhase.WaitingForRoom;
        return RoomOrder.Wait;
    }

    /// <summary>Bytes arrived for a lane's segment. Two lanes may fetch the same: the first to bring a byte wins.</summary>
    /// <param name="lane">Who brings them.</param>
    /// <param name="buffer">Where they are; it gets a user more where any of them are of use.</param>
    /// <param name="start">Where they begin in the buffer.</param>
    /// <param name="position">Where they begin in the blob.</param>
    /// <param name="length">How many they are.</param>
    /// <param name="now">The time.</param>
    /// <returns>The bytes that were of use.</returns>
    public int Received(LaneSchedule lane, SharedBuffer buffer, int start, long position, int length, long now)
    {
        Segment segment = lane.Segment!;
        BlobSchedule blob = segment.Blob;
        Limit.Receive(length);
        if (length > 0)
        {
            _retries.NoteServed(now);
            _demand.NoteServed();
        }

        lane.Report(length, now);
        _choice.NoteRate(lane.Rate);
        long from = Math.Max(position, segment.Frontier);
        int useful = (int)(Math.Min(position + length, segment.End) - from);
        if (useful <= 0 || blob.State != BlobState.Open)
        {
            return 0;
        }

        buffer.Share();
        segment.Waiting.Enqueue(new Chunk(buffer, start + (int)(from - position), from, useful));
        segment.Frontier += useful;
        lane.Gained += useful;
        lane.Refusals = 0;
        blob.Receive(useful);
        if (segment == blob.Head)
        {
            blob.Deliver(now);
            blob.IsBehind |= _choice.IsSaturated(blob);
        }

        if (segment.IsComplete)
        {
            segment.Lanes.FindAll(other => other != lane).ForEach(other => other.Interrupt());
        }

        return useful;
    }

    /// <summary>A lane no longer fetches its segment; what is missing of it goes to the next one that is free.</summary>
    public static void Leave(LaneSchedule lane)
    {
        lane.Segment?.Lanes.Remove(lane);
        lane.Segment = null;
        lane.Phase = LanePhase.Free;
    }

    /// <summary>The server ignores ranges.</summary>
    /// <returns>Whether the lane is the one that may go on with what it gets.</returns>
    public bool IgnoresRanges(LaneSchedule lane)
    {
        BlobSchedule blob = lane.Segment!.Blob;
        blob.IsSingle = true;
        blob.Owner ??= _lanes.Find(other => other != lane && other.Segment?.Blob == blob) ?? lane;
        return blob.Owner == lane;
    }

    /// <summary>A lane's attempt failed; it leaves its segment.</summary>
    /// <param name="lane">The lane.</param>
    /// <param name="failure">What happened.</param>
    /// <param name="now">The time.</param>
    /// <param name="isRepeated">Whether its request will be repeated.</param>
    /// <returns>Why the blob fails for good; <see langword="null"/> where it does not.</returns>
    public Exception? Failed(LaneSchedule lane, FetchFailure failure, long now, out bool isRepeated)
    {
        Segment segment = lane.Segment!;
        BlobSchedule blob = segment.Blob;
        long begun = lane.ClaimedAt;
        isRepeated = !segment.IsComplete && blob.State == BlobState.Open;
        Leave(lane);
        Disown(lane, except: null);
        lane.Blob = null;
        if (!isRepeated)
        {
            return null;
        }

        // A server that has served the blob, or serves others, does not say what is wrong with it.
        bool isServed = failure.IsRefusal && (blob.Arrived > 0 || _lanes.Exists(other => other.IsReceiving && other.Segment?.Blob == blob));
        if (!failure.IsTransient && !isServed)
        {
            isRepeated = false;
            return failure.Error;
        }

        if (lane.Gained > 0)
        {
            lane.NotBefore = lane.Gained < WorthwhileBytes ? now + _options.RetryInterval : now;
            return null;
        }

        _demand.NoteFailed(now);
        Exception? final = _retries.Fail(lane, blob, failure, _lanes, begun, now);
        isRepeated = final is null;
        return final;
    }

    /// <summary>Whether lanes are not to begin with more of a blob until some of what is there is hashed and written.</summary>
    public bool IsHeldBack(BlobSchedule blob) => _choice.IsHeldBack(blob);

    /// <summary>Whether lanes are not to begin with more of any blob until some buffers are free.</summary>
    public bool IsFull => _choice.IsFull(Rented);

    /// <summary>A buffer has no user any more.</summary>
    public void Returned() => Rented--;

    /// <summary>Looks at the flow; to be called some thirty times a second.</summary>
    /// <param name="mayGrow">Whether more bytes may come at all: a bandwidth limit may hold them.</param>
    /// <param name="isBusy">Whether this process has little processor time left.</param>
    /// <param name="now">The time.</param>
    public void Tick(bool mayGrow, bool isBusy, long now)
    {
        bool isStarved = _choice.IsStarved(_blobs, Rented, now - _lastLook, now);
        _lastLook = now;
        _demand.Look(_blobs, _lanes.Count, mayGrow, now);
        Limit.Look(isStarved && mayGrow, isBusy, now, _demand.SideBySide(_blobs));
    }

    /// <summary>Whether a lane has what a server sends that ignores ranges: nobody else can go on with that.</summary>
    private bool IsOwner(LaneSchedule lane) => _blobs.Exists(blob => blob.Owner == lane && blob.State == BlobState.Open);

    private void Take(LaneSchedule lane, Segment segment, long now)
    {
        Disown(lane, except: segment.Blob);
        lane.Take(segment, now);
    }

    private void Disown(LaneSchedule lane, BlobSchedule? except)
    {
        foreach (BlobSchedule blob in _blobs)
        {
            if (blob.Owner == lane && blob != except)
            {
                blob.Owner = null;
            }
        }
    }
}
