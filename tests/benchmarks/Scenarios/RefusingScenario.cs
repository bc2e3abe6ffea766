using PSModel.Benchmarks.Measuring;

namespace PSModel.Benchmarks.Scenarios;

/// <summary>A server that is busy now and then. It holds each connection to a rate: without that it would hardly be asked ten
/// times.</summary>
internal sealed class RefusingScenario(BenchmarkOptions options, Report report) : Scenario(options, report)
{
    private const double Bound = 1.15;
    private const int Nth = 10;
    private const long Rate = 20 * Units.MB;

    public override string Name => "refusing";

    public override Task RunAsync()
    {
        int requests = 0;
        int refused = 0;
        return new FaultComparison(ThrottledRounds(), Report).RunAsync(
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
            Bound,
            Rate);
    }
}
