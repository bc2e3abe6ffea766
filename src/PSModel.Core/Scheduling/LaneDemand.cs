namespace PSModel.Core.Scheduling;

/// <summary>
/// How many lanes there should be, and whose each large blob is. Where one lane brings more than one core can hash, each core gets a
/// blob, and each blob a lane of its own: one that went to and fro between them would open a connection each time, and leave behind
/// what was on its way. Where small blobs alone are open, which their lanes hash and write, there are lanes for some cores at once.
/// Pure. Times are in milliseconds.
/// </summary>
internal sealed class LaneDemand(ScheduleOptions options, LaneLimit limit)
{
    /// <summary>For so long after a hash was last behind the lanes stay: two of them may just keep up, and one again would not.</summary>
    private const long Memory = 5000;

    /// <summary>A lane that has not begun after so many looks does not come: the system may give no more threads.</summary>
    private const int LooksToBegin = 3;

    /// <summary>The lanes of small blobs stay for so long where no blob is open: whoever adds blobs may be held up. They are given up for
    /// so long where a bandwidth limit holds lanes.</summary>
    private const long SmallMemory = 1000;

    /// <summary>They are given up for so long after a request that brought nothing: the server may serve one connection, and no more.</summary>
    private const long FailureRest = 5000;

    /// <summary>The most lanes that small blobs have without proof that they bring more: on a slow way such proof comes soon, and on a
    /// fast one these use the processors of most machines.</summary>
    private const int MostOfSmall = 4;

    private long _behindUntil = long.MinValue;
    private long _smallUntil = long.MinValue;
    private long _heldUntil = long.MinValue;
    private int _lanesOfSmall;
    private bool _isServed;
    private bool _isHeld;
    private bool _wasBehind;
    private bool _mayGrow = true;
    private int _looksShort;

    /// <summary>What lanes are worth while bytes are wanted.</summary>
    public LaneLimit Limit => limit;

    /// <summary>Looks at the blobs; to be called some thirty times a second.</summary>
    /// <param name="blobs">Those that are not finished.</param>
    /// <param name="lanes">The lanes that there are.</param>
    /// <param name="mayGrow">Whether more bytes may come at all: a bandwidth limit may hold them.</param>
    /// <param name="now">The time.</param>
    public void Look(IReadOnlyList<BlobSchedule> blobs, int lanes, bool mayGrow, long now)
    {
        _mayGrow = mayGrow;
        _behindUntil = mayGrow && blobs.Any(blob => blob.IsBehind) ? now + Memory : _behindUntil;
        _wasBehind = now < _behindUntil;
        _heldUntil = mayGrow ? _heldUntil : Math.Max(_heldUntil, now + SmallMemory);
        _isHeld = now < _heldUntil;
        BlobSchedule[] open = [.. blobs.Where(blob => blob.State == BlobState.Open)];
        int small = Array.TrueForAll(open, blob => blob.IsSmall) ? OfSmall(open.Length) : 0;
        if (_isHeld || small >= _lanesOfSmall || now >= _smallUntil)
        {
            _lanesOfSmall = small;
            _smallUntil = now + SmallMemory;
        }

        _looksShort = lanes < SideBySide(blobs) ? _looksShort + 1 : 0;
    }

    /// <summary>Bytes came.</summary>
    public void NoteServed() => _isServed = true;

    /// <summary>A lane's attempt failed and had brought nothing.</summary>
    public void NoteFailed(long now)
    {
        _heldUntil = Math.Max(_heldUntil, now + FailureRest);
        _isHeld = true;
        _lanesOfSmall = 0;
    }

    /// <summary>The lanes that there should be.</summary>
    public int Wanted(IReadOnlyList<BlobSchedule> blobs) => Math.Max(limit.Target, SideBySide(blobs));

    /// <summary>The lanes that blobs need to be hashed side by side: large ones where hashes do not keep up, else 0; small ones where
    /// nothing else is open.</summary>
    public int SideBySide(IReadOnlyList<BlobSchedule> blobs)
    {
        bool isBehind = _wasBehind;
        int large = 0;
        int small = 0;

        // Asked for each segment: an enumerator each time would be felt where blobs are many.
        for (int i = 0; i < blobs.Count; i++)
        {
            isBehind |= _mayGrow && blobs[i].IsBehind;
            bool isOpen = blobs[i].State == BlobState.Open;
            large += isOpen && !blobs[i].IsSmall ? 1 : 0;
            small += isOpen && blobs[i].IsSmall ? 1 : 0;
        }

        int ofLarge = isBehind ? Math.Min(options.Cores, large) : 0;
        return Math.Min(limit.Ceiling, large > 0 ? ofLarge : Math.Max(_lanesOfSmall, OfSmall(small)));
    }

    /// <summary>Whether a lane leaves more of a large blob to another: to the one whose answer goes on with it, where hashes are too
    /// few and not lanes, or to one that is about to begin.</summary>
    public bool IsForAnother(BlobSchedule blob, LaneSchedule lane, IReadOnlyList<BlobSchedule> blobs, IReadOnlyList<LaneSchedule> lanes)
    {
        if (blob.IsSmall)
        {
            return false;
        }

        // A hash may be behind for a moment where more lanes than that are of use: they are not held up.
        int sideBySide = SideBySide(blobs);
        if (sideBySide <= 1 || limit.Target > sideBySide)
        {
            return false;
        }

        // Of several that have come to it, as its helpers may have, one goes on.
        LaneSchedule? owner = lanes.FirstOrDefault(other => other.Blob == blob);
        bool isAnotherToCome = lanes.Count < sideBySide && _looksShort < LooksToBegin;
        return owner is not null ? owner != lane : isAnotherToCome && lane.Blob is { State: BlobState.Open, Unclaimed: > 0 };
    }

    /// <summary>One for each that is open, up to one for each core and one more, since each waits for answers at times. While nothing has
    /// come of what was asked for, one is enough to learn whether it does.</summary>
    private int OfSmall(int open) => _isServed && !_isHeld ? Math.Min(open, Math.Min(options.Cores + 1, MostOfSmall)) : 0;
}
