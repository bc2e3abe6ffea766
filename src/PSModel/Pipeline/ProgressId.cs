namespace PSModel.Pipeline;

/// <summary>Numbers of progress bars: parallel calls in one process share a screen, and must not share a bar. Thread-safe.</summary>
internal static class ProgressId
{
    /// <summary>PowerShell's own commands use small numbers.</summary>
    private static int _last = 0x50_00_00;

    /// <summary>A number that nobody in this process has.</summary>
    public static int Next() => Interlocked.Increment(ref _last) & int.MaxValue;
}
