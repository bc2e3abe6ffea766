using PSModel.Benchmarks.Measuring;
using PSModel.Benchmarks.Servers;

namespace PSModel.Benchmarks.Scenarios;

/// <summary>More connections than anybody takes by default, where each is slow.</summary>
internal sealed class ThrottledManyLanesScenario(BenchmarkOptions options, Report report) : Scenario(options, report)
{
    private const double Bound = 26;
    private const int Lanes = 32;

    public override string Name => "throttled-32";

    public override async Task RunAsync()
    {
        await using ThrottledRegistry registry = new(2 * Units.MB);
        await new LaneComparison(registry, ThrottledRounds(), Report).RunAsync(Options.SizeOr(512 * Units.MiB), Lanes, (Lanes, Bound));
    }
}
