using PSModel.Benchmarks.Measuring;
using PSModel.Benchmarks.Servers;
using PSModel.Loopback;

namespace PSModel.Benchmarks.Scenarios;

/// <summary>Many slow connections in a small container: a buffer that waits to be filled must not be one for each of them.</summary>
internal sealed class HeapLimitScenario(BenchmarkOptions options, Report report) : Scenario(options, report)
{
    private const int Lanes = 32;
    private const int Rate = 100_000;
    private const string Limit = "0xC000000";

    public override string Name => "heap-limit";

    public override async Task RunAsync()
    {
        long size = Options.SizeOr(40 * Units.MB);
        await using ThrottledRegistry registry = new(Rate);
        LoopbackModel model = BenchmarkModels.One(size);
        Contender save = Psmodel.Save("save", registry.Offer(model), $"-VerifyInline -ThrottleLimit {Lanes} -Digest {model.Blobs[0].Digest}");
        save = save with { Environment = [.. save.Environment, ("DOTNET_GCHeapHardLimit", Limit)] };
        Console.WriteLine($"{size / (double)Units.MB:0} MB {registry.Description}, -ThrottleLimit {Lanes}, DOTNET_GCHeapHardLimit={Limit} (192 MiB).");
        int failures = 0;
        try
        {
            Measurement run = await save.RunAsync(Options.Folder);
            Report.Note(save, run);
            Console.WriteLine($"{run.Wall:0.0} s, peak {run.Memory / Units.MB:0} MB");
        }
        catch (InvalidOperationException e)
        {
            failures++;
            Console.WriteLine(e.Message.Trim());
        }

        Report.AtMost("heap-limit, failures", failures, 0, "runs");
    }
}
