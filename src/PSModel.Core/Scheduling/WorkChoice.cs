using PSModel.Core.Buffers;

namespace PSModel.Core.Scheduling;

/// <summary>Which bytes a lane fetches next, and who may have a buffer. Pure, as the <see cref="Scheduler"/> that asks it.</summary>
internal sealed class WorkChoice(ScheduleOptions options)
{
    /// <summary>Shorter segments are not worth a request.</summary>
    private const long ShortestSegment = 1024 * 1024;

    /// <summary>What a lane that is alone with a blob takes at a time: it goes on with the same answer, so short ones cost nothing.</summary>
    private const long SegmentOfOne = 2 * 1024 * 1024;

    /// <summary>What a lane beside others takes at least, where there is enough for all.</summary>
    private const long ShortestOfMany = 4 * 1024 * 1024;

    /// <summary>A segment is read for so many times as long as its answer is waited for, where there is room for it: longer ones
    /// only fill memory with what waits for its turn.</summary>
    private const double AnswersPerOpening = 32;

    /// <summary>Less than twice this is not cut in two.</summary>
    private const long ShortestHalf = 256 * 1024;

    /// <summary>A segment that takes fewer milliseconds is left to the lane that has it.</summary>
    private const double ShortestHelp = 150;

    /// <summary>A lane that reads and has brought nothing for so many milliseconds has stalled.</summary>
    private const long Silence = 500;

    /// <summary>The same where a bandwidth limit lets lanes read one after the other.</summary>
    private const long HeldSilence = 10 * Silence;

    /// <summary>A lane with so small a part of the usual rate is slow.</summary>
    private const double SlowFactor = 4;

    /// <summary>The part of the time that a hash may wait before more lanes are tried.</summary>
    private const double Hungry = 0.25;

    /// <summary>Segments are handed out this many windows ahead: a claim takes no memory.</summary>
    private const int Reach = 2;

    /// <summary>The small blobs that are added at a time.</summary>
    private const int SmallAhead = 32;

    private double _rate;
    private double _opening = Silence / 2;
    private int _claims;
    private bool _isAdding;

    /// <summary>The part of the window that may be on its way to the hash and the disk of one blob.</summary>
    private long LargestBacklog => options.Window / 4;

    /// <summary>A lane read at so many bytes a millisecond.</summary>
    public void NoteRate(double rate) => _rate = _rate == 0 || rate == 0 ? Math.Max(_rate, rate) : (_rate * 0.95) + (rate * 0.05);

    /// <summary>A request was answered after so many milliseconds.</summary>
    public void NoteOpening(long time) => _opening = (_opening * 0.8) + (time * 0.2);

    /// <summary>Whether hash or disk of a blob have more to do than they can.</summary>
    public bool IsSaturated(BlobSchedule blob) => blob.Backlog >= LargestBacklog / 2;

    /// <summary>Whether nobody is to begin with more of a blob until some of what is there is hashed and written.</summary>
    public bool IsHeldBack(BlobSchedule blob) => IsSaturated(blob) || !IsWithinReach(blob);

    /// <summary>Whether nobody is to begin with more of any blob until some buffers are free.</summary>
    public bool IsFull(int rented) => rented >= options.Buffers - options.HeadReserve;

    /// <summary>Whether lanes could soon be without work. Small blobs are added some at a time, before
    /// the last are begun with: whoever adds them would else be woken for each, or be late.</summary>
    public bool WantsBlob(IReadOnlyList<BlobSchedule> blobs, int lanes)
    {
        int least = (2 * lanes) + (SmallAhead / 2);
        int most = (2 * lanes) + SmallAhead;
        int claimable = 0;
        int saturated = 0;
        int unfinished = 0;

        // Asked for each step of a lane: an enumerator each time would be felt where blobs are many.
        for (int i = 0; i < blobs.Count; i++)
        {
            BlobSchedule blob = blobs[i];
            bool isSaturated = IsSaturated(blob);
            saturated += isSaturated ? 1 : 0;
            unfinished += blob.IsSmall ? 0 : 1;
            if (blob.State == BlobState.Open && !isSaturated && blob.Unclaimed > 0)
            {
                claimable += blob.IsSmall ? 1 : most;
            }
        }

        _isAdding = claimable < (_isAdding ? most : least) && saturated < options.Cores && unfinished < Math.Max(lanes, options.Cores) + 1;
        return _isAdding;
    }

    /// <summary>Whether more lanes would find work and room.</summary>
    public bool IsStarved(IReadOnlyList<BlobSchedule> blobs, int rented, long elapsed, long now)
    {
        bool? isStarved = null;
        foreach (BlobSchedule blob in blobs)
        {
            long hungry = blob.TakeHunger(now);
            if (isStarved is null && !blob.IsSingle && CanClaim(blob, now))
            {
                isStarved = hungry > Hungry * elapsed || (blob.Head is null && blob.Backlog == 0);
            }
        }

        return isStarved == true && rented < options.Buffers - options.NearReserve;
    }

    /// <summary>Whether a lane may read on, into a buffer more where it needs one.</summary>
    public bool HasRoom(Segment segment, bool needsBuffer, int rented)
    {
        BlobSchedule blob = segment.Blob;
        bool isHead = segment == blob.Head;
        if (!blob.IsSmall && (blob.Backlog >= LargestBacklog || !IsCovered(blob, isHead)))
        {
            return false;
        }

        bool isNear = segment.Frontier - blob.Head!.Frontier < (long)options.NearReserve * options.BufferSize / 2;
        int allowed = isHead ? options.Buffers : isNear ? options.Buffers - options.HeadReserve : options.Buffers - options.NearReserve;
        return needsBuffer ? rented < allowed : rented <= allowed;
    }

    /// <summary>The first missing bytes of a blob that need a lane more than a segment does that waits for room.</summary>
    public Segment? MoreUrgent(IReadOnlyList<BlobSchedule> blobs, Segment segment, long now)
    {
        foreach (BlobSchedule blob in blobs)
        {
            // Of a blob whose server ignores ranges only the lanes that have part of it may take the rest.
            bool isReachable = !blob.IsSingle || segment.Blob == blob;
            if (blob.State == BlobState.Open && now >= blob.NotBefore && isReachable && blob.Head is { } head && head != segment
                && (head.Lanes.Count == 0 || IsSlow(head, now)))
            {
                return head;
            }
        }

        return null;
    }

    /// <summary>Leaves to a slow lane, and the one that comes to its help, no more than their share.</summary>
    public static void ShareOut(Segment slow, IReadOnlyList<LaneSchedule> lanes)
    {
        if (slow.Blob.IsSmall || slow.Lanes.Count == 0)
        {
            return;
        }

        int helpers = Math.Max(2, lanes.Count(lane => lane.Phase is LanePhase.Free or LanePhase.WaitingForRoom));
        long piece = Math.Max(ShortestSegment, slow.Missing / helpers);
        Segment rest = slow;
        while (rest.Missing >= 2 * piece)
        {
            rest = slow.Blob.Split(rest, rest.Frontier + piece);
        }
    }

    /// <summary>Chooses a segment: of the earliest blob that can use a lane, first what nobody fetches, then what is fetched
    /// too slowly, then new bytes; when all are handed out, the half of what takes longest.</summary>
    public Segment? Choose(IReadOnlyList<BlobSchedule> blobs, IReadOnlyList<LaneSchedule> lanes, LaneSchedule lane, LaneDemand demand, long pending, int rented, long now)
    {
        foreach (BlobSchedule blob in blobs)
        {
            if (ChooseOf(blob, blobs, lanes, lane, demand, pending, rented, now) is { } segment)
            {
                return segment;
            }
        }

        return HalfOfTheLongest(blobs, now);
    }

    private Segment? ChooseOf(BlobSchedule blob, IReadOnlyList<BlobSchedule> blobs, IReadOnlyList<LaneSchedule> lanes, LaneSchedule lane, LaneDemand demand, long pending, int rented, long now)
    {
        if (blob.State != BlobState.Open || now < blob.NotBefore || (blob.IsSingle && ((blob.Owner is { } owner && owner != lane) || lanes.Any(other => other.Segment?.Blob == blob))))
        {
            return null;
        }

        if (blob.Head is { } head && IsSlow(head, now))
        {
            ShareOut(head, lanes);
            return head;
        }

        if (blob.Segments.Find(segment => segment.Lanes.Count == 0 && !segment.IsComplete) is { } free)
        {
            return free;
        }

        if (blob.Segments.Find(segment => IsSlow(segment, now)) is { } slow)
        {
            ShareOut(slow, lanes);
            return slow;
        }

        return CanClaim(blob, now) && !IsFull(rented) && !demand.IsForAnother(blob, lane, blobs, lanes) ? blob.Claim(LengthFor(blob, blobs, demand.Limit, pending)) : null;
    }

    /// <summary>Whether a crash would cost no more than it may. The head of the line goes on for as long as no checkpoint is due,
    /// since without its bytes none ever would be.</summary>
    private bool IsCovered(BlobSchedule blob, bool isHead)
    {
        long loss = blob.Arrived - blob.Durable;
        return !blob.HasCheckpoints || (isHead
            ? loss < options.LargestLoss || blob.Delivered - blob.Durable < options.CheckpointInterval
            : loss < options.LargestLoss - options.CheckpointInterval);
    }

    private bool CanClaim(BlobSchedule blob, long now) =>
        blob.State == BlobState.Open && blob.Unclaimed > 0 && now >= blob.NotBefore && !IsHeldBack(blob);

    private bool IsWithinReach(BlobSchedule blob) => blob.Segments.Count == 0
        || blob.Segments[blob.Segments.Count - 1].End - blob.Segments[0].Start + blob.Backlog < Reach * options.Window;

    /// <summary>Lanes that run side by side have half of their segments waiting on average, so that twice the room is shared
    /// out. Of the first ones each is longer than the one before, so that they end, and make room, one after the other. At the
    /// end each takes its share of what all of them still have to do, so that they finish together.</summary>
    private long LengthFor(BlobSchedule blob, IReadOnlyList<BlobSchedule> blobs, LaneLimit limit, long pending)
    {
        if (blob.IsSmall)
        {
            return blob.Unclaimed;
        }

        int lanes = limit.IsStarting ? limit.Ceiling : limit.Target;
        if (limit.Target == 1)
        {
            return SegmentOfOne;
        }

        long room = (long)(options.Buffers - options.NearReserve) * options.BufferSize;
        double worthwhile = Math.Max(ShortestOfMany, AnswersPerOpening * _opening * _rate);
        double whole = Math.Min(worthwhile, Math.Min(1.9 * room / lanes, options.Window / 4.0));
        double share = (pending + blobs.Sum(other => other.Missing)) / (double)lanes;
        double part = Math.Min(1, ++_claims / (double)lanes);
        return Math.Max(ShortestSegment, (long)Math.Min(whole * part, share));
    }

    /// <summary>Whether a lane more should fetch the segment: the one that does is silent, or much slower than lanes are.</summary>
    private bool IsSlow(Segment segment, long now)
    {
        if (segment.Lanes.Count != 1 || segment.IsComplete || segment.Blob.IsSingle)
        {
            return false;
        }

        LaneSchedule lane = segment.Lanes[0];
        if (lane.Phase == LanePhase.WaitingForRoom)
        {
            return false;
        }

        if (lane.Phase == LanePhase.Opening)
        {
            return now - lane.ClaimedAt > Math.Max(Silence, 4 * _opening);
        }

        bool isLate = segment.Missing > ShortestHelp * lane.Rate && !lane.IsHeld;
        return now - lane.ReportedAt > (lane.IsHeld ? HeldSilence : Silence) || (lane.IsSettled(now) && lane.Rate * SlowFactor < _rate && isLate);
    }

    private Segment? HalfOfTheLongest(IReadOnlyList<BlobSchedule> blobs, long now)
    {
        Segment? longest = null;
        double most = ShortestHelp;
        foreach (Segment segment in blobs.Where(blob => blob.State == BlobState.Open && !blob.IsSmall && !blob.IsSingle && blob.Unclaimed == 0 && !IsSaturated(blob)).SelectMany(blob => blob.Segments))
        {
            double rate = segment.Lanes.Count == 0 ? 0 : segment.Lanes.Max(lane => lane.Rate);
            double time = rate == 0 ? 0 : segment.Missing / rate;
            if (time > most && segment.Missing >= 2 * ShortestHalf && segment.Lanes.Count > 0)
            {
                (longest, most) = (segment, time);
            }
        }

        return longest?.Blob.Split(longest, longest.Frontier + Math.Max(ShortestHalf, longest.Missing / 2));
    }
}
