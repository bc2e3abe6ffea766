namespace PSModel.Core.Transfer;

/// <summary>How many lanes there are and how many there should be. Thread-safe.</summary>
internal sealed class LaneCount(TransferOptions options)
{
    /// <summary>Segments are at most this part of the window, so that a lane that joins finds work.</summary>
    private const int FewestParts = 4;

    /// <summary>Shorter segments are not worth a request.</summary>
    private const long ShortestSegment = 1024 * 1024;

    private readonly object _gate = new();
    private int _limit = options.Connections;
    private int _target = 1;
    private int _active;

    /// <summary>How many lanes there should be.</summary>
    public int Target
    {
        get
        {
            lock (_gate)
            {
                return _target;
            }
        }
    }

    /// <summary>Whether more lanes are allowed.</summary>
    public bool CanGrow
    {
        get
        {
            lock (_gate)
            {
                return _target < _limit;
            }
        }
    }

    /// <summary>Whether there should be one lane and no more.</summary>
    public bool IsAlone => Target == 1;

    /// <summary>The bytes that a lane claims at a time. Lanes one after the other have half of their segments waiting on
    /// average, so that twice the window is shared out among them; and the end of the blob, so that all finish together.</summary>
    /// <param name="remaining">The bytes that nobody has claimed.</param>
    public long SegmentLength(long remaining)
    {
        int lanes = Target;
        long length = Math.Min(options.Window / FewestParts, Math.Min(2 * options.Window, remaining) / lanes);
        return Math.Min(remaining, Math.Max(ShortestSegment, length));
    }

    /// <summary>Sets how many lanes there should be, within the limits.</summary>
    public void Aim(int target)
    {
        lock (_gate)
        {
            _target = Math.Max(1, Math.Min(target, _limit));
        }
    }

    /// <summary>Enters a new lane if one more should be there.</summary>
    public bool TryEnter()
    {
        lock (_gate)
        {
            if (_active >= _target)
            {
                return false;
            }

            _active++;
            return true;
        }
    }

    /// <summary>Leaves if there are more lanes than there should be.</summary>
    public bool TryRetire()
    {
        lock (_gate)
        {
            if (_active <= _target)
            {
                return false;
            }

            _active--;
            return true;
        }
    }

    /// <summary>The server refuses what the lane asks, and serves others: leaves, unless it is the last one, and there will be
    /// no more than are left.</summary>
    public bool RetireRefused()
    {
        lock (_gate)
        {
            if (_active == 1)
            {
                return false;
            }

            _limit = _active - 1;
            _target = Math.Min(_target, _limit);
            _active--;
            return true;
        }
    }

    /// <summary>The server ignores ranges, so a second lane only fetches everything again: leaves, unless it is the last one,
    /// and there will be no more.</summary>
    public bool RetireForGood()
    {
        lock (_gate)
        {
            _limit = 1;
            _target = 1;
            return TryRetire();
        }
    }
}
