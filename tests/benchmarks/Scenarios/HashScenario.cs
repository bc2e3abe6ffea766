using PSModel.Benchmarks.Measuring;

namespace PSModel.Benchmarks.Scenarios;

/// <summary>The engines of SHA-256.</summary>
internal sealed class HashScenario(BenchmarkOptions options, Report report) : Scenario(options, report)
{
    public override string Name => "hash";

    public override Task RunAsync()
    {
        HashBenchmark.Run(Options.Rounds);
        return Task.CompletedTask;
    }
}
