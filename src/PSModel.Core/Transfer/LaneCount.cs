namespace PSModel.Core.Transfer;

/// <summary>How many lanes there are and how many there should be. Thread-safe.</summary>
internal sealed class LaneCount(TransferOptions options)
{
    /// <summary>Fewer lanes get no longer segments than this part of the window, so that a lane that joins finds work.</summary>
    private const int FewestParts = 4;

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

    /// <summary>The bytes that a lane claims at a time: all lanes together fill the window.</summary>
    public long SegmentLength => Math.Max(BufferPool.BufferSize, options.Window / Math.Max(FewestParts, Target));

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
