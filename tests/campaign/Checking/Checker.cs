using PSModel.Campaign.Reporting;

namespace PSModel.Campaign.Checking;

/// <summary>Checks what must hold in one scenario. Thread-safe.</summary>
internal sealed class Checker(PartReport report, int index)
{
    private int _violations;

    public PartReport Report => report;

    /// <summary>Whether everything has held so far.</summary>
    public bool IsClean => Volatile.Read(ref _violations) == 0;

    /// <summary>Where the scenario is; violations tell it.</summary>
    public string Step { get; set; } = string.Empty;

    public void That(bool holds, string invariant, Func<string> found)
    {
        if (!holds)
        {
            Interlocked.Increment(ref _violations);
        }

        report.Check(holds, invariant, index, () => $"{found()} ({Step})");
    }
}
