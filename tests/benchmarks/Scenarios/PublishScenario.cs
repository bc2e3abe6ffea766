using PSModel.Benchmarks.Measuring;
using PSModel.Benchmarks.Servers;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Benchmarks.Scenarios;

/// <summary>One blob to docker-registry, which is empty before each run, against hashing it and against skopeo from a layout of the same
/// model.</summary>
internal sealed class PublishScenario(BenchmarkOptions options, Report report) : Scenario(options, report)
{
    private const double Bound = 1.15;

    public override string Name => "publish";

    public override string[] Needs => [DockerRegistry.Program, "skopeo", "openssl"];

    public override async Task RunAsync()
    {
        LoopbackModel one = BenchmarkModels.One(Options.SizeOr(2 * Units.GiB));
        LoopbackModel model = one.WithManifest(BenchmarkModels.OciManifest(one, 1));
        using TemporaryFolder folder = new(Options.Folder);
        using DockerRegistry registry = await DockerRegistry.StartAsync(Options.Folder);
        string store = Path.Combine(folder.Path, "store");
        string layout = Path.Combine(folder.Path, "layout");
        string name = $"{registry.Address.GetLeftPart(UriPartial.Authority)}/{model.Name}:{model.Tag}";
        Directory.CreateDirectory(Path.Combine(store, "blobs"));
        foreach (BlobContent blob in new[] { model.Blobs[0], model.Blobs[^1] })
        {
            NginxRegistry.Write(Path.Combine(store, "blobs", blob.Digest.Replace(':', '-')), blob);
        }

        new OllamaStore(store).PutManifest(model.Manifest, [registry.Address.Authority, .. model.Name.Split('/'), model.Tag]);
        await Psmodel.Process("the layout", $"$null = Publish-ModelBlob {name} '{store}' -Destination '{layout}' -ErrorAction Stop").RunAsync(Options.Folder);

        Console.WriteLine($"One blob of {model.Blobs[0].Length / Units.MiB} MiB to docker-registry; PSModel is the process less an empty one.");
        string file = Path.Combine(store, "blobs", model.Blobs[0].Digest.Replace(':', '-'));
        Contender hash = new("openssl dgst -sha256 (in memory)", $"openssl dgst -sha256 '{file}' > /dev/null", ["openssl"]);
        Contender skopeo = new("skopeo copy, from a layout", $"skopeo copy -q --insecure-policy --preserve-digests --dest-tls-verify=false 'oci:{layout}:{model.Tag}' docker://{registry.Address.Authority}/{model.Name}:{model.Tag}", ["skopeo"]) { Prepare = registry.Clear };
        Contender ours = Psmodel.Process("Publish-ModelBlob", $"$null = Publish-ModelBlob {name} '{store}' -ErrorAction Stop") with { Prepare = registry.Clear };
        Dictionary<Contender, Measurement> medians = await Rounds().MeasureAndPrintAsync(Psmodel.Empty, hash, skopeo, ours);
        Report.AtMost(
            "publish, PSModel against the larger of openssl dgst and skopeo copy",
            (medians[ours].Wall - medians[Psmodel.Empty].Wall) / Math.Max(medians[hash].Wall, medians[skopeo].Wall),
            Bound);
    }
}
