using PSModel.Benchmarks.Measuring;
using PSModel.Benchmarks.Servers;
using PSModel.Loopback;

namespace PSModel.Benchmarks.Scenarios;

/// <summary>Two large blobs where the hash is the limit: two cores hash.</summary>
internal sealed class TwoScenario(BenchmarkOptions options, Report report) : Scenario(options, report)
{
    private const double Bound = 1.4;

    /// <summary>Takes the SHA instructions from libcrypto.</summary>
    private static readonly (string, string) WithoutSha = ("OPENSSL_ia32cap", ":~0x20000000");

    public override string Name => "two";

    public override string[] Needs => ["nginx"];

    public override async Task RunAsync()
    {
        long size = Options.SizeOr(Units.GiB);
        LoopbackModel model = LoopbackModel.GenerateMany("library/bench", "latest", 2, size);
        using NginxRegistry nginx = await NginxRegistry.StartAsync(Options.Folder, [model, BenchmarkModels.Warm]);
        string warm = nginx.Name(BenchmarkModels.Warm);
        Console.WriteLine($"Two blobs of {size / Units.MiB} MiB from nginx, {WithoutSha.Item1}={WithoutSha.Item2}. {Psmodel.SecondsMeaning}");
        Contender one = Save("one blob", warm, nginx.Name(model), $"{model.Blobs[0].Digest}");
        Contender two = Save("two blobs", warm, nginx.Name(model), $"{model.Blobs[0].Digest}, {model.Blobs[1].Digest}");
        Dictionary<Contender, Measurement> medians = await Rounds().MeasureAndPrintAsync(one, two);
        Report.AtMost("two, two blobs against one", medians[two].Seconds / medians[one].Seconds, Bound);
    }

    private static Contender Save(string name, string warm, string model, string digests)
    {
        Contender save = Psmodel.TimedSave(name, warm, model, $"-VerifyInline -Digest {digests}");
        return save with { Environment = [.. save.Environment, WithoutSha] };
    }
}
