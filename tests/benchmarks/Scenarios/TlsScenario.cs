using PSModel.Benchmarks.Measuring;
using PSModel.Benchmarks.Servers;
using PSModel.Loopback;

namespace PSModel.Benchmarks.Scenarios;

/// <summary>One blob from nginx over TLS, which is how models come.</summary>
internal sealed class TlsScenario(BenchmarkOptions options, Report report) : Scenario(options, report)
{
    private const double Bound = 1.10;

    public override string Name => "tls";

    public override string[] Needs => ["nginx", "openssl"];

    public override async Task RunAsync()
    {
        LoopbackModel model = BenchmarkModels.One(Options.SizeOr(2 * Units.GiB));
        LoopbackModel warm = BenchmarkModels.WarmLarge(model.Blobs[0].Length);
        using NginxRegistry nginx = await NginxRegistry.StartAsync(Options.Folder, [model, warm], isEncrypted: true);
        Console.WriteLine($"One blob of {model.Blobs[0].Length / Units.MiB} MiB from nginx over TLS; curl -o over TLS as well.");
        await new RegistryComparison(Options, Report).RunAsync(
            new RegistryOrigin(nginx.Name(model), nginx.Name(warm), model.Blobs[0].Digest, nginx.BlobAddress(model), nginx.BlobPath(model), () => nginx.ProcessorSeconds, nginx.Certificate), Bound);
    }
}
