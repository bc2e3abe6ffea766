using PSModel.Benchmarks.Measuring;
using PSModel.Benchmarks.Scenarios;
using PSModel.TestParts;

namespace PSModel.Benchmarks;

/// <summary>All scenarios, and the run of those that were chosen.</summary>
internal sealed class Suite(BenchmarkOptions options)
{
    private readonly Report _report = new();

    /// <returns>Whether all that was chosen could be measured; a missed bound is no failure.</returns>
    public async Task<bool> RunAsync()
    {
        Console.WriteLine($"{Environment.ProcessorCount} cores, {options.Rounds} rounds, in {options.Folder}, disk {options.Disk}{(options.IsQuick ? ", small and once: no figure counts" : string.Empty)}");
        Scenario[] all = Scenarios();
        string[] unknown = [.. options.Only.Except(all.Select(scenario => scenario.Name))];
        if (unknown.Length > 0)
        {
            Console.WriteLine($"There is no scenario {string.Join(", ", unknown)}; there are {string.Join(", ", all.Select(scenario => scenario.Name))}.");
            return false;
        }

        bool isMeasured = true;
        foreach (Scenario scenario in all.Where(scenario => options.Only.Length == 0 || options.Only.Contains(scenario.Name)))
        {
            Console.WriteLine();
            Console.WriteLine($"== {scenario.Name}");
            isMeasured &= await RunAsync(scenario);
        }

        _report.End();
        return isMeasured;
    }

    private async Task<bool> RunAsync(Scenario scenario)
    {
        string[] missing = [.. scenario.Needs.Where(program => NeedsFactAttribute.Find(program) is null)];
        if (missing.Length > 0)
        {
            Console.WriteLine($"Not run, for want of {string.Join(", ", missing)}.");
            return true;
        }

        _report.Scenario = scenario.Name;
        try
        {
            await scenario.RunAsync();
            return true;
        }
        catch (Exception e) when (e is InvalidOperationException or IOException or HttpRequestException)
        {
            // The others can be measured nevertheless.
            _report.Failed(e.Message.Trim());
            return false;
        }
    }

    private Scenario[] Scenarios() =>
    [
        new NginxScenario(options, _report),
        new DockerRegistryScenario(options, _report),
        new TlsScenario(options, _report),
        new DiskScenario(options, _report),
        new PublishScenario(options, _report),
        new FleetScenario(options, _report),
        new ManyScenario(options, _report),
        new ManyFastScenario(options, _report),
        new TwoScenario(options, _report),
        new ThrottledScenario(options, _report),
        new ThrottledSmallScenario(options, _report),
        new ThrottledManyLanesScenario(options, _report),
        new SlowLaneScenario(options, _report),
        new CuttingScenario(options, _report),
        new RefusingScenario(options, _report),
        new MemoryScenario(options, _report),
        new SessionScenario(options, _report),
        new HeapLimitScenario(options, _report),
        new PaceScenario(options, _report),
        new ResumeScenario(options, _report),
        new TestScenario(options, _report),
        new ImportScenario(options, _report),
        new HashScenario(options, _report),
        new CompletionScenario(options, _report),
    ];
}
