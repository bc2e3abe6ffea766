using System.Diagnostics;

namespace PSModel.Loopback;

/// <summary>Holds one body to a rate: what a sleep took too long is caught up on, and what the other side did not take is not.</summary>
internal sealed class LoopbackPace
{
    /// <summary>A throttled body is sent in pieces this long, in seconds.</summary>
    private const double StepSeconds = 0.01;

    /// <summary>How far behind its rate a body may be and still catch up.</summary>
    private static readonly TimeSpan Credit = TimeSpan.FromMilliseconds(250);

    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private TimeSpan _due;

    /// <summary>The longest piece at a rate of so many bytes a second; 0 is no limit.</summary>
    public static long Step(long rate) => rate > 0 ? Math.Max(1, (long)(rate * StepSeconds)) : long.MaxValue;

    /// <summary>Waits until the next piece may be sent.</summary>
    public async ValueTask WaitAsync(int sent, long rate, CancellationToken cancellationToken)
    {
        if (rate <= 0)
        {
            return;
        }

        TimeSpan now = _clock.Elapsed;
        _due += TimeSpan.FromSeconds((double)sent / rate);
        if (_due > now)
        {
            await Task.Delay(_due - now, cancellationToken);
        }
        else if (now - _due > Credit)
        {
            _due = now - Credit;
        }
    }
}
