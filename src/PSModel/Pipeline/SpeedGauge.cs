using System.Diagnostics;

namespace PSModel.Pipeline;

/// <summary>A moving average of a byte count's growth. For one thread at a time.</summary>
internal sealed class SpeedGauge
{
    /// <summary>The seconds after which a measurement has lost most of its weight.</summary>
    private const double Memory = 4;

    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private double _before;
    private long _bytesBefore;

    /// <summary>Bytes a second.</summary>
    public double BytesPerSecond { get; private set; }

    /// <summary>Notes the count at this moment.</summary>
    public void Note(long bytes)
    {
        double now = _clock.Elapsed.TotalSeconds;
        double elapsed = now - _before;
        if (elapsed <= 0)
        {
            return;
        }

        // Where the count begins anew, nothing was gained.
        double rate = Math.Max(0, bytes - _bytesBefore) / elapsed;

        // At first the mean since the beginning, so that the first figure is not a guess.
        double weight = Math.Max(1 - Math.Exp(-elapsed / Memory), elapsed / now);
        BytesPerSecond += (rate - BytesPerSecond) * weight;
        _before = now;
        _bytesBefore = bytes;
    }

    /// <summary>The time that so many bytes will take; <see langword="null"/> while nothing moves.</summary>
    public TimeSpan? TimeFor(long bytes)
    {
        const double LongestForecast = 359_999;
        return BytesPerSecond < 1 ? null : TimeSpan.FromSeconds(Math.Min(Math.Round(Math.Max(0, bytes) / BytesPerSecond), LongestForecast));
    }
}
