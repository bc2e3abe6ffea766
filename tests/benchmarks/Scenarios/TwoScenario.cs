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

        // Each is warmed by saves of its own kind.
        LoopbackModel warmOne = BenchmarkModels.WarmLarge(size);
        LoopbackModel warmTwo = LoopbackModel.GenerateMany("library/warm-two", "latest", 2, size / 2, seed: 99);
        using NginxRegistry nginx = await NginxRegistry.StartAsync(Options.Folder, [model, warmOne, warmTwo]);
        Console.WriteLine($"Two blobs of {size / Units.MiB} MiB from nginx, {WithoutSha.Item1}={WithoutSha.Item2}. {Psmodel.SecondsMeaning}");
        Contender one = Save("one blob", nginx.Name(warmOne), nginx.Name(model), $"{model.Blobs[0].Digest}");
        Contender two = Save("two blobs", nginx.Name(warmTwo), nginx.Name(model), $"{model.Blobs[0].Digest}, {model.Blobs[1].Digest}");
        Contender hash = Hash("openssl dgst, one", $"openssl dgst -sha256 '{nginx.BlobPath(model)}' > /dev/null");
        Contender hashes = Hash("openssl dgst, two side by side", $"openssl dgst -sha256 '{nginx.BlobPath(model)}' > /dev/null & openssl dgst -sha256 '{nginx.BlobPath(model, 1)}' > /dev/null; wait");
        // Half of what nginx does is for the saves that warm up.
        two = two with { Counter = () => nginx.ProcessorSeconds };
        Dictionary<Contender, Measurement> medians = await Rounds().MeasureAndPrintAsync(Psmodel.Empty, one, two, hash, hashes);
        double packed = (medians[two].Figures[Psmodel.CpuFigure] + (medians[two].Counted / 2)) / Environment.ProcessorCount;
        Console.WriteLine($"Of two blobs, processor time of the save and of nginx for it packed perfectly on {Environment.ProcessorCount} cores: {packed:0.00} s, {packed / medians[one].Seconds:0.00} × one blob. Hashing alone, two side by side against one: {medians[hashes].Seconds / medians[hash].Seconds:0.00} ×.");
        Report.AtMost("two, two blobs against one", medians[two].Seconds / medians[one].Seconds, Bound);
    }

    private static Contender Hash(string name, string command) => new(name, command, ["openssl"]) { Environment = [WithoutSha] };

    private static Contender Save(string name, string warm, string model, string digests)
    {
        Contender save = Psmodel.TimedSave(name, warm, model, $"-VerifyInline -Digest {digests}");
        return save with { Environment = [.. save.Environment, WithoutSha] };
    }
}
