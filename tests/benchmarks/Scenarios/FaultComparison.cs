using PSModel.Benchmarks.Measuring;
using PSModel.Benchmarks.Servers;
using PSModel.Loopback;

namespace PSModel.Benchmarks.Scenarios;

/// <summary>The same blob with a fault and without.</summary>
internal sealed class FaultComparison(Rounds rounds, Report report)
{
    /// <param name="size">The blob's bytes.</param>
    /// <param name="what">What the fault is.</param>
    /// <param name="fault">Does it.</param>
    /// <param name="count">How often it was done so far.</param>
    /// <param name="bound">The most that it may cost.</param>
    /// <param name="bytesPerSecond">What a connection gives; 0 for no limit.</param>
    public async Task RunAsync(long size, string what, Action<LoopbackRequest, LoopbackAnswer> fault, Func<int> count, double bound, long bytesPerSecond = 0)
    {
        await using ThrottledRegistry registry = new(bytesPerSecond);
        LoopbackModel model = BenchmarkModels.One(size);
        string save = $"-VerifyInline -Digest {model.Blobs[0].Digest}";
        string name = registry.Offer(model);
        Console.WriteLine($"{size / Units.MiB} MiB {registry.Description}. {what}. {Psmodel.SecondsMeaning}");
        Contender without = Psmodel.TimedSave("without faults", registry.Warm, name, save) with { Prepare = () => registry.Fault = null };
        Contender with = Psmodel.TimedSave("with faults", registry.Warm, name, save) with { Prepare = () => registry.Fault = fault, Counter = () => count() };
        Dictionary<Contender, Measurement> medians = await rounds.MeasureAndPrintAsync(without, with);
        Console.WriteLine($"faults in a run: {medians[with].Counted:0}");
        report.AtMost($"{report.Scenario}, with faults against without", medians[with].Seconds / medians[without].Seconds, bound);
    }
}
