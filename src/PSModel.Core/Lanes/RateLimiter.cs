using System.Diagnostics;
using PSModel.Core.Registry;
using PSModel.Core.Sources;

namespace PSModel.Core.Lanes;

/// <summary>Holds all connections of a call together to so many bytes a second. Thread-safe.</summary>
/// <remarks>Bytes are paid for before they are read, so that not even the first reads of many connections come at once.</remarks>
internal sealed class RateLimiter
{
    /// <summary>Reads are kept this short, so that the flow is smooth well within a second.</summary>
    private const double LongestRead = 0.05;

    private const int ShortestRead = 1024;

    /// <summary>The part of the limit from which on it counts as used up.</summary>
    private const double MostlyUsed = 0.7;

    /// <summary>The seconds that this part is the mean of.</summary>
    private const double Memory = 0.5;

    private readonly object _gate = new();
    private readonly long _bytesPerSecond;
    private readonly Func<TimeSpan> _clock;
    private double _paidUntil;
    private double _waitingUntil;
    private double? _spentSince;
    private double _used = 1;
    private long _spent;

    /// <param name="bytesPerSecond">The limit; 0 for none.</param>
    public RateLimiter(long bytesPerSecond)
        : this(bytesPerSecond, Stopwatch.StartNew())
    {
    }

    /// <param name="bytesPerSecond">The limit; 0 for none.</param>
    /// <param name="clock">The time since some moment.</param>
    public RateLimiter(long bytesPerSecond, Func<TimeSpan> clock)
    {
        _bytesPerSecond = bytesPerSecond;
        _clock = clock;
    }

    private RateLimiter(long bytesPerSecond, Stopwatch clock)
        : this(bytesPerSecond, () => clock.Elapsed)
    {
    }

    /// <summary>Whether there is a limit.</summary>
    public bool IsLimited => _bytesPerSecond > 0;

    /// <summary>Whether somebody waits for leave to read at this moment: then more connections bring nothing.</summary>
    public bool IsHolding
    {
        get
        {
            lock (_gate)
            {
                return _waitingUntil > _clock().TotalSeconds;
            }
        }
    }

    /// <summary>Looks how much of what the limit allows was used of late: where that is most of it, more connections bring
    /// nothing. What nobody has seen counts as used.</summary>
    public bool TakeIsUsedUp()
    {
        if (!IsLimited)
        {
            return false;
        }

        lock (_gate)
        {
            if (_spent <= 0)
            {
                // Nobody asked; what is asked next counts for this time as well.
                return _used >= MostlyUsed;
            }

            double now = _clock().TotalSeconds;
            double elapsed = Math.Max(0.001, now - (_spentSince ?? now));
            double part = _spent / (_bytesPerSecond * elapsed);
            _used += (part - _used) * (1 - Math.Exp(-elapsed / Memory));
            _spent = 0;
            _spentSince = now;
            return _used >= MostlyUsed;
        }
    }

    /// <summary>The most bytes to ask for in one read.</summary>
    public int ReadSize(int wanted) =>
        _bytesPerSecond == 0 ? wanted : (int)Math.Min(wanted, Math.Max(ShortestRead, _bytesPerSecond * LongestRead));

    /// <summary>Reads some bytes when their turn has come, and pays for what came.</summary>
    public int Read(BlobStream stream, byte[] buffer, int offset, int wanted, CancellationToken cancellationToken)
    {
        int size = ReadSize(wanted);
        int read = 0;
        TimeSpan turn = Pay(size);
        try
        {
            BlockingWork.Pause(turn, cancellationToken);
            read = stream.Read(buffer, offset, size);
            return read;
        }
        finally
        {
            Refund(size - read);
        }
    }

    /// <summary>Pays for a read of so many bytes.</summary>
    /// <returns>How long it has to wait for its turn.</returns>
    public TimeSpan Pay(int bytes)
    {
        if (_bytesPerSecond == 0)
        {
            return TimeSpan.Zero;
        }

        lock (_gate)
        {
            double now = _clock().TotalSeconds;
            double turn = Math.Max(_paidUntil, now);
            _waitingUntil = turn > now ? turn : _waitingUntil;
            _paidUntil = turn + (bytes / (double)_bytesPerSecond);
            _spent += bytes;
            _spentSince ??= now;
            return TimeSpan.FromSeconds(turn - now);
        }
    }

    /// <summary>Gives back what was paid for bytes that the read did not bring.</summary>
    public void Refund(int bytes)
    {
        if (_bytesPerSecond == 0)
        {
            return;
        }

        lock (_gate)
        {
            _paidUntil -= bytes / (double)_bytesPerSecond;
            _spent -= bytes;
        }
    }
}
