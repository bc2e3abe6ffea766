using PSModel.Benchmarks.Measuring;
using PSModel.Benchmarks.Servers;
using PSModel.Loopback;

namespace PSModel.Benchmarks.Scenarios;

/// <summary>Many small blobs, each of which the registry thinks about: only connections side by side help.</summary>
internal sealed class ManyScenario(BenchmarkOptions options, Report report) : Scenario(options, report)
{
    private const double Bound = 1.3;
    private const int Blobs = 2000;
    private const int Lanes = 8;
    private const long BlobSize = 64 * 1024;
    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(30);

    public override string Name => "many";

    public override async Task RunAsync()
    {
        int count = Options.CountOr(Blobs);
        await using LoopbackRegistry registry = LoopbackRegistry.Start();
        string warm = registry.Offer(BenchmarkModels.Warm);
        string model = registry.Offer(LoopbackModel.GenerateMany("library/bench", "latest", count, BlobSize));
        registry.Fault = (request, answer) => answer.Delay = BenchmarkModels.IsMeasured(request) ? Delay : TimeSpan.Zero;
        Console.WriteLine($"{count} blobs of {BlobSize / 1024} KiB from the registry on loopback, {Delay.TotalMilliseconds} ms before each first byte, store on {Options.Disk}. {Psmodel.SecondsMeaning}");
        Contender ours = Psmodel.TimedSave($"-ThrottleLimit {Lanes}", warm, model, $"-VerifyInline -ThrottleLimit {Lanes}");
        Rounds rounds = new(Options, Report) { Folder = Options.Disk, IsKeptToTheEnd = true, IsWarmedUp = false, IsThrottled = true };
        Dictionary<Contender, Measurement> medians = await rounds.MeasureAndPrintAsync(ours);
        double allowed = count * Delay.TotalSeconds / Lanes;
        Report.AtMost($"many, against {allowed:0.00} s", medians[ours].Seconds / allowed, Bound);
    }
}
