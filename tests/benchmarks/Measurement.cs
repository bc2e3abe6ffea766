namespace PSModel.Benchmarks;

/// <summary>What one run took: seconds of wall and of processor time, and the largest memory of a process in bytes.</summary>
internal sealed record Measurement(double Wall, double Cpu, double Memory)
{
    /// <summary>The median of each figure on its own.</summary>
    public static Measurement Median(IReadOnlyCollection<Measurement> runs) =>
        new(Middle(runs.Select(run => run.Wall)), Middle(runs.Select(run => run.Cpu)), Middle(runs.Select(run => run.Memory)));

    private static double Middle(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
