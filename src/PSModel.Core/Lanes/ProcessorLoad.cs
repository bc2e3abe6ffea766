using System.Diagnostics;
using System.Runtime.InteropServices;

namespace PSModel.Core.Lanes;

/// <summary>How much of the processors this process takes. For one thread.</summary>
internal sealed class ProcessorLoad
{
    /// <summary>CLOCK_PROCESS_CPUTIME_ID of Linux. What .NET has reads a file of /proc, and makes garbage, many times a second.</summary>
    private const int ProcessClock = 2;

    private const int NanosecondsPerTick = 100;

    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private TimeSpan _before = Taken;

    private static TimeSpan Taken
    {
        get
        {
            try
            {
                if (RuntimeInformation.IsOSPlatform(OSPlatform.Linux) && ReadClock(ProcessClock, out ClockTime time) == 0)
                {
                    return TimeSpan.FromTicks(((long)time.Seconds * TimeSpan.TicksPerSecond) + (time.Nanoseconds / NanosecondsPerTick));
                }

                using Process process = Process.GetCurrentProcess();
                return process.TotalProcessorTime;
            }
            catch (Exception e) when (e is InvalidOperationException or NotSupportedException or System.ComponentModel.Win32Exception or IOException or EntryPointNotFoundException or DllNotFoundException)
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

    [DllImport("libc", EntryPoint = "clock_gettime")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int ReadClock(int clock, out ClockTime time);

    /// <summary>The C library's timespec.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct ClockTime
    {
        public nint Seconds;
        public nint Nanoseconds;
    }
}
