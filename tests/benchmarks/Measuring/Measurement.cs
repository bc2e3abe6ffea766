namespace PSModel.Benchmarks.Measuring;

/// <summary>What one run took.</summary>
/// <param name="Wall">Seconds from the process's start to its end.</param>
/// <param name="Cpu">Seconds of processor time.</param>
/// <param name="Memory">The largest memory of a process in bytes.</param>
/// <param name="Counted">By how much the contender's counter rose.</param>
/// <param name="Figures">What the process said itself in lines of <c>figure NAME VALUE</c>.</param>
internal sealed record Measurement(double Wall, double Cpu, double Memory, double Counted, IReadOnlyDictionary<string, double> Figures)
{
    /// <summary>A run that did not end.</summary>
    public static Measurement Never { get; } = new(double.PositiveInfinity, double.NaN, double.NaN, double.NaN, new Dictionary<string, double>());

    /// <summary>The seconds that the session measured, or those of the process where it measured none.</summary>
    public double Seconds => Figures.TryGetValue(Psmodel.SecondsFigure, out double seconds) ? seconds : Wall;

    /// <summary>The seconds of each run that this is the median of, in their order.</summary>
    public double[] Runs { get; private init; } = [];

    /// <summary>The median of each figure on its own.</summary>
    public static Measurement Median(IReadOnlyCollection<Measurement> runs) => new(
        Middle(runs.Select(run => run.Wall)),
        Middle(runs.Select(run => run.Cpu)),
        Middle(runs.Select(run => run.Memory)),
        Middle(runs.Select(run => run.Counted)),
        runs.SelectMany(run => run.Figures.Keys).Distinct().ToDictionary(
            name => name,
            name => Middle(runs.Select(run => run.Figures.GetValueOrDefault(name, double.PositiveInfinity)))))
    {
        Runs = [.. runs.Select(run => run.Seconds)],
    };

    private static double Middle(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
