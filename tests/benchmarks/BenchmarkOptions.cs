namespace PSModel.Benchmarks;

/// <summary>What to run, and how.</summary>
internal sealed record BenchmarkOptions
{
    private const int QuickPart = 32;
    private const long LeastQuickSize = 32 * Units.MiB;

    /// <summary>Where everything is written but what belongs onto a disk.</summary>
    public required string Folder { get; init; }

    /// <summary>A folder on a real disk.</summary>
    public required string Disk { get; init; }

    /// <summary>How often each contender is measured.</summary>
    public required int Rounds { get; init; }

    /// <summary>The size of the blob in bytes, where the scenario's own is not wanted.</summary>
    public long? Size { get; init; }

    /// <summary>Scenarios by name; none for all.</summary>
    public string[] Only { get; init; } = [];

    /// <summary>Everything small and once, to see that it runs.</summary>
    public bool IsQuick { get; init; }

    /// <summary>The console program of an earlier build, to be measured beside this one.</summary>
    public string? Before { get; init; }

    /// <summary>The size given, or that of the scenario.</summary>
    public long SizeOr(long usual) => Size ?? (IsQuick ? Math.Min(usual, Math.Max(usual / QuickPart, LeastQuickSize)) : usual);

    /// <summary>How many of something, fewer where it has to be quick.</summary>
    public int CountOr(int usual) => IsQuick ? Math.Max(1, usual / QuickPart) : usual;
}
