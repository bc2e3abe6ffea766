using PSModel.Benchmarks.Measuring;
using PSModel.Benchmarks.Servers;
using PSModel.Loopback;

namespace PSModel.Benchmarks.Scenarios;

/// <summary>Many small blobs from a fast server onto a disk, against skopeo and against one blob of the same bytes.</summary>
internal sealed class ManyFastScenario(BenchmarkOptions options, Report report) : Scenario(options, report)
{
    private const double BoundOfSkopeo = 1;
    private const double BoundOfOne = 3;
    private const int Saves = 5;
    private const int Blobs = 2000;
    private const long BlobSize = 64 * 1024;

    public override string Name => "many-fast";

    public override string[] Needs => ["nginx", "skopeo"];

    public override async Task RunAsync()
    {
        int count = Options.CountOr(Blobs);
        LoopbackModel many = LoopbackModel.GenerateMany("library/many", "latest", count, BlobSize);
        LoopbackModel image = many.WithManifest(BenchmarkModels.OciManifest(many, count), "oci");
        LoopbackModel one = BenchmarkModels.One(count * BlobSize, "one");

        // Each is warmed by saves of its own kind: the one by others would flatter the many.
        LoopbackModel warmMany = LoopbackModel.OfBlobs("library/warm-many", "latest", [.. Enumerable.Range(100_000, count).Select(seed => BlobContent.Generate(BlobSize, seed))]);
        LoopbackModel warmOne = LoopbackModel.Generate("library/warm-one", "latest", count * BlobSize, seed: 99);
        using NginxRegistry nginx = await NginxRegistry.StartAsync(Options.Folder, [many, image, one, warmMany, warmOne]);
        Console.WriteLine($"{count} blobs of {BlobSize / 1024} KiB, and one of the same total, from nginx, store on {Options.Disk}, default limits.");
        Contender skopeo = new("skopeo copy", $"skopeo copy -q --src-tls-verify=false docker://127.0.0.1:{nginx.Port}/{image.Name}:{image.Tag} dir:$OUT/copy", ["skopeo"]);
        Contender process = Psmodel.Save("many blobs, as a process", nginx.Name(many), "-VerifyInline");
        Contender session = Psmodel.TimedSave("many blobs, in a session", nginx.Name(warmMany), nginx.Name(many), "-VerifyInline", saves: Saves);
        Contender single = Psmodel.TimedSave("one blob, in a session", nginx.Name(warmOne), nginx.Name(one), $"-VerifyInline -Digest {one.Blobs[0].Digest}", saves: Saves);

        // skopeo takes three minutes, nearly all of it its own processor time: it is not run once more to warm up.
        Rounds rounds = new(Options, Report) { Folder = Options.Disk, IsKeptToTheEnd = true, IsWarmedUp = false };
        Dictionary<Contender, Measurement> medians = await rounds.MeasureAndPrintAsync(Psmodel.Empty, skopeo, process, session, single);
        Console.WriteLine($"Against skopeo PSModel is the process less an empty one. {Psmodel.SecondsMeaning}");
        Report.AtMost("many-fast, PSModel against skopeo copy", (medians[process].Wall - medians[Psmodel.Empty].Wall) / medians[skopeo].Wall, BoundOfSkopeo);
        Report.AtMost("many-fast, many blobs against one", medians[session].Seconds / medians[single].Seconds, BoundOfOne);
    }
}
