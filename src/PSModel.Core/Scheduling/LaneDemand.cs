namespace PSModel.Core.Scheduling;

/// <summary>
/// How many lanes there should be, and whose each large blob is. Where one lane brings more than one core can hash, each core gets a
/// blob, and each blob a lane of its own: one that went to and fro between them would open a connection each time, and leave behind
/// what was on its way. Pure. Times are in milliseconds.
/// </summary>
internal sealed class LaneDemand(ScheduleOptions options, LaneLimit limit)
{
    /// <summary>For so long after a hash was last behind the lanes stay: two of them may just keep up, and one again would not.</summary>
    private const long Memory = 5000;

    /// <summary>A lane that has not begun after so many looks does not come: the system may give no more threads.</summary>
    private const int LooksToBegin = 3;

    private long _behindUntil = long.MinValue;
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
        _looksShort = lanes < SideBySide(blobs) ? _looksShort + 1 : 0;
    }

    /// <summary>The lanes that there should be.</summary>
    public int Wanted(IReadOnlyList<BlobSchedule> blobs) => Math.Max(limit.Target, SideBySide(blobs));

    /// <summary>The lanes that blobs need to be hashed side by side; 0 where hashes keep up.</summary>
    public int SideBySide(IReadOnlyList<BlobSchedule> blobs)
    {
        bool isBehind = _wasBehind;
        int open = 0;

        // Asked for each segment: an enumerator each time would be felt where blobs are many.
        for (int i = 0; i < blobs.Count; i++)
        {
            isBehind |= _mayGrow && blobs[i].IsBehind;
            open += blobs[i].State == BlobState.Open && !blobs[i].IsSmall ? 1 : 0;
        }

        return isBehind ? Math.Min(limit.Ceiling, Math.Min(options.Cores, open)) : 0;
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
}
