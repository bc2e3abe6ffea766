using PSModel.Benchmarks.Measuring;
using PSModel.Benchmarks.Servers;
using PSModel.Loopback;

namespace PSModel.Benchmarks.Scenarios;

/// <summary>Once as fast as the bytes come, and once with slow connections, which fill the window.</summary>
internal sealed class MemoryScenario(BenchmarkOptions options, Report report) : Scenario(options, report)
{
    private const double Bound = 250;

    public override string Name => "memory";

    public override async Task RunAsync()
    {
        foreach (int rate in new[] { 0, 40 * Units.MB })
        {
            await using ThrottledRegistry registry = new(rate);
            foreach (int gibibytes in new[] { 1, 8 })
            {
                long size = Options.SizeOr(gibibytes * Units.GiB);
                LoopbackModel model = BenchmarkModels.One(size);
                Contender save = Psmodel.Save($"{size / Units.MiB} MiB", registry.Offer(model), $"-VerifyInline -Digest {model.Blobs[0].Digest}");
                Measurement run = await save.RunAsync(Options.Folder);
                Report.Note(save, run);
                Report.AtMost($"memory, {save.Name} {registry.Description}", run.Memory / Units.MB, Bound, "MB");
            }
        }
    }
}
