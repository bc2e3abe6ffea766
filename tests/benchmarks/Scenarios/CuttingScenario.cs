using PSModel.Benchmarks.Measuring;
using PSModel.Benchmarks.Servers;

namespace PSModel.Benchmarks.Scenarios;

/// <summary>Connections that end early.</summary>
internal sealed class CuttingScenario(BenchmarkOptions options, Report report) : Scenario(options, report)
{
    private const double Bound = 1.10;

    public override string Name => "cutting";

    public override Task RunAsync()
    {
        ConnectionCuts cuts = new(30 * Units.MB, 200 * Units.MB);
        return new FaultComparison(Rounds(), Report).RunAsync(
            Options.SizeOr(2 * Units.GiB), "Each connection is cut after 30 to 200 MB", cuts.Strike, () => cuts.Count, Bound);
    }
}
