using System.Diagnostics;

namespace PSModel.Core.Lanes;

/// <summary>How much of the processors this process takes. For one thread.</summary>
internal sealed class ProcessorLoad
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private TimeSpan _before = Taken;

    private static TimeSpan Taken
    {
        get
        {
            try
            {
                using Process process = Process.GetCurrentProcess();
                return process.TotalProcessorTime;
            }
            catch (Exception e) when (e is InvalidOperationException or NotSupportedException or System.ComponentModel.Win32Exception or IOException)
            {
                // Where nobody can tell, as without /proc, it counts as idle.
                return TimeSpan.Zero;
            }
        }
    }

    /// <summary>The part taken since the last look, of all processors together: 0 to 1.</summary>
    public double Look()
    {
        TimeSpan taken = Taken;
        double load = (taken - _before).TotalSeconds / (Math.Max(0.001, _clock.Elapsed.TotalSeconds) * Environment.ProcessorCount);
        _before = taken;
        _clock.Restart();
        return load;
    }
}
