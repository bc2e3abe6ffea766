using PSModel.Benchmarks.Measuring;
using PSModel.Benchmarks.Servers;
using PSModel.Loopback;

namespace PSModel.Benchmarks.Scenarios;

/// <summary>Checking blobs on the disk, in memory here, against openssl.</summary>
internal sealed class TestScenario(BenchmarkOptions options, Report report) : Scenario(options, report)
{
    public override string Name => "test";

    public override async Task RunAsync()
    {
        LoopbackModel model = BenchmarkModels.One(Options.SizeOr(2 * Units.GiB));
        string blob = Path.Combine(Options.Folder, $"psmodel-bench-{Guid.NewGuid():N}.blob");
        string other = $"{blob}.second";
        NginxRegistry.Write(blob, model.Blobs[0]);
        File.Copy(blob, other);
        try
        {
            string digest = model.Blobs[0].Digest;
            Contender hash = new("openssl dgst -sha256", $"openssl dgst -sha256 '{blob}' > /dev/null", ["openssl"]);
            Contender one = Psmodel.Process("Test-ModelBlob, one blob", $"$null = Test-ModelBlob -LiteralPath '{blob}' -Digest {digest}");
            Contender two = Psmodel.Process("Test-ModelBlob, two blobs", $"$null = Test-ModelBlob -LiteralPath '{blob}', '{other}' -Digest {digest}");
            Dictionary<Contender, Measurement> medians = await Rounds().MeasureAndPrintAsync(Psmodel.Empty, hash, one, two);
            double empty = medians[Psmodel.Empty].Wall;
            Console.WriteLine($"against openssl, less an empty process: one blob {(medians[one].Wall - empty) / medians[hash].Wall:0.00} ×, two {(medians[two].Wall - empty) / medians[hash].Wall:0.00} ×");
        }
        finally
        {
            File.Delete(blob);
            File.Delete(other);
        }
    }
}
