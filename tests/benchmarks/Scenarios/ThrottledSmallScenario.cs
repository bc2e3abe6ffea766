using PSModel.Benchmarks.Measuring;
using PSModel.Benchmarks.Servers;

namespace PSModel.Benchmarks.Scenarios;

/// <summary>Blobs so small that the way from one connection to all of them counts.</summary>
internal sealed class ThrottledSmallScenario(BenchmarkOptions options, Report report) : Scenario(options, report)
{
    public override string Name => "throttled-small";

    public override async Task RunAsync()
    {
        await using ThrottledRegistry fast = new(20 * Units.MB);
        await new LaneComparison(fast, ThrottledRounds(), Report).RunAsync(Options.SizeOr(256 * Units.MiB), 1, (8, 7), (16, 12));
        await using ThrottledRegistry slow = new(4 * Units.MB);
        await new LaneComparison(slow, ThrottledRounds(), Report).RunAsync(Options.SizeOr(64 * Units.MB), 1, (8, 6.5));
    }
}
