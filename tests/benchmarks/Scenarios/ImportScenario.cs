using PSModel.Benchmarks.Measuring;
using PSModel.TestParts;

namespace PSModel.Benchmarks.Scenarios;

/// <summary>Whole processes, since a module is imported but once in each: what PSModel adds to a module that has nothing.</summary>
internal sealed class ImportScenario(BenchmarkOptions options, Report report) : Scenario(options, report)
{
    public override string Name => "import";

    public override async Task RunAsync()
    {
        string program = $"dotnet '{Pwsh.Program}' -NoProfile -NonInteractive -Command";
        Contender nothing = new("no module", $"{program} '1'", ["dotnet"]);
        Contender empty = new("an empty binary module", $"{program} 'Import-Module {Checkout.EmptyModule}'", ["dotnet"]);
        Contender module = new("PSModel", $"{program} 'Import-Module {Checkout.StagedModule}'", ["dotnet"]);
        Dictionary<Contender, Measurement> medians = await Rounds().MeasureAsync(nothing, empty, module);
        if (medians.Count > 0)
        {
            double difference = medians[module].Wall - medians[empty].Wall;
            Console.WriteLine($"No module {medians[nothing].Wall:0.000} s, an empty one {medians[empty].Wall:0.000} s, PSModel {medians[module].Wall:0.000} s: {difference * 1000:0} ms more than the empty one, {medians[module].Wall / medians[empty].Wall:0.00} ×");
        }
    }
}
