using PSModel.Benchmarks.Measuring;
using PSModel.Benchmarks.Servers;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Benchmarks.Scenarios;

/// <summary>One blob from docker-registry, a real OCI registry.</summary>
internal sealed class DockerRegistryScenario(BenchmarkOptions options, Report report) : Scenario(options, report)
{
    private const double Bound = 1.15;

    public override string Name => "docker-registry";

    public override string[] Needs => [DockerRegistry.Program];

    public override async Task RunAsync()
    {
        LoopbackModel model = BenchmarkModels.One(Options.SizeOr(2 * Units.GiB));
        using DockerRegistry registry = await DockerRegistry.StartAsync(Options.Folder);
        string name = await registry.PushAsync(model);
        string warm = await registry.PushAsync(BenchmarkModels.WarmLarge(model.Blobs[0].Length));
        await registry.PushAsync(model.WithManifest(BenchmarkModels.OciManifest(model, 1), "oci"));
        string address = $"{registry.Address}v2/{model.Name}/blobs/{model.Blobs[0].Digest}";
        string copy = Path.Combine(Options.Folder, $"psmodel-bench-{Guid.NewGuid():N}.blob");
        NginxRegistry.Write(copy, model.Blobs[0]);
        try
        {
            Console.WriteLine($"One blob of {model.Blobs[0].Length / Units.MiB} MiB from docker-registry.");
            Contender skopeo = new("skopeo copy", $"skopeo copy -q --src-tls-verify=false docker://{registry.Address.Authority}/{model.Name}:oci dir:$OUT/copy", ["skopeo"]);
            await new RegistryComparison(Options, Report).RunAsync(
                new RegistryOrigin(name, warm, model.Blobs[0].Digest, address, copy, () => registry.ProcessorTime.TotalSeconds), Bound, skopeo);
        }
        finally
        {
            File.Delete(copy);
        }
    }
}
