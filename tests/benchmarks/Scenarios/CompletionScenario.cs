using PSModel.Benchmarks.Measuring;

namespace PSModel.Benchmarks.Scenarios;

/// <summary>Tab.</summary>
internal sealed class CompletionScenario(BenchmarkOptions options, Report report) : Scenario(options, report)
{
    public override string Name => "completion";

    public override Task RunAsync()
    {
        return CompletionBenchmark.RunAsync(Options.Folder, Options.Rounds);
    }
}
