using System.Diagnostics;

namespace PSModel.Core.Transfer;

/// <summary>Holds all connections of a call together to so many bytes a second. Thread-safe.</summary>
internal sealed class RateLimiter(long bytesPerSecond)
{
    /// <summary>Reads are kept this short, so that the flow is smooth well within a second.</summary>
    private const double LongestRead = 0.05;

    private const int ShortestRead = 1024;

    private readonly object _gate = new();
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private double _paidUntil;

    /// <summary>Whether bytes are waiting to be paid for at this moment: then more connections bring nothing.</summary>
    public bool IsHolding
    {
        get
        {
            lock (_gate)
            {
                return _paidUntil > _clock.Elapsed.TotalSeconds;
            }
        }
    }

    /// <summary>The most bytes to ask for in one read.</summary>
    public int ReadSize(int wanted) =>
        bytesPerSecond == 0 ? wanted : (int)Math.Min(wanted, Math.Max(ShortestRead, bytesPerSecond * LongestRead));

    /// <summary>Waits until so many bytes are paid for.</summary>
    public Task PayAsync(int bytes, CancellationToken cancellationToken)
    {
        if (bytesPerSecond == 0)
        {
            return Task.CompletedTask;
        }

        double wait;
        lock (_gate)
        {
            double now = _clock.Elapsed.TotalSeconds;
            _paidUntil = Math.Max(_paidUntil, now) + (bytes / (double)bytesPerSecond);
            wait = _paidUntil - now;
        }

        return Task.Delay(TimeSpan.FromSeconds(wait), cancellationToken);
    }
}
