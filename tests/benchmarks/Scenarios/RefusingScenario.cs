using PSModel.Benchmarks.Measuring;

namespace PSModel.Benchmarks.Scenarios;

/// <summary>A server that is busy now and then.</summary>
internal sealed class RefusingScenario(BenchmarkOptions options, Report report) : Scenario(options, report)
{
    private const double Bound = 1.15;
    private const int Nth = 10;

    public override string Name => "refusing";

    public override Task RunAsync()
    {
        int requests = 0;
        int refused = 0;
        return new FaultComparison(Rounds(), Report).RunAsync(
            Options.SizeOr(2 * Units.GiB),
            $"Each {Nth}th request for the blob gets 503",
            (_, answer) =>
            {
                if (Interlocked.Increment(ref requests) % Nth == 0)
                {
                    Interlocked.Increment(ref refused);
                    answer.Become(503, "busy");
                }
            },
            () => refused,
            Bound);
    }
}
