using System.Diagnostics;
using PSModel.Core.Registry;

namespace PSModel.Core.Lanes;

/// <summary>Holds all connections of a call together to so many bytes a second. Thread-safe.</summary>
/// <remarks>Bytes are paid for before they are read, so that not even the first reads of many connections come at once.</remarks>
internal sealed class RateLimiter
{
    /// <summary>Reads are kept this short, so that the flow is smooth well within a second.</summary>
    private const double LongestRead = 0.05;

    private const int ShortestRead = 1024;

    private readonly object _gate = new();
    private readonly long _bytesPerSecond;
    private readonly Func<TimeSpan> _clock;
    private double _paidUntil;
    private double _waitingUntil;

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
        }
    }
}
