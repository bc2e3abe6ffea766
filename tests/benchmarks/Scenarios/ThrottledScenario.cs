using PSModel.Benchmarks.Measuring;
using PSModel.Benchmarks.Servers;

namespace PSModel.Benchmarks.Scenarios;

/// <summary>A large blob over connections of 20 MB/s, as many as PSModel takes by itself, and what goes over the wire for it.</summary>
internal sealed class ThrottledScenario(BenchmarkOptions options, Report report) : Scenario(options, report)
{
    private const double Bound = 14;
    private const int Part = 4;
    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(50);

    public override string Name => "throttled";

    public override async Task RunAsync()
    {
        await using ThrottledRegistry registry = new(20 * Units.MB, Delay);
        await new LaneComparison(registry, ThrottledRounds(), Report).RunAsync(Options.SizeOr(2 * Units.GiB), Part, (null, Bound));
    }
}
