using PSModel.Benchmarks.Measuring;
using PSModel.Benchmarks.Servers;
using PSModel.Loopback;

namespace PSModel.Benchmarks.Scenarios;

/// <summary>One blob onto a real disk, where both end only when it is there to stay.</summary>
internal sealed class DiskScenario(BenchmarkOptions options, Report report) : Scenario(options, report)
{
    private const double Bound = 1.10;

    public override string Name => "disk";

    public override string[] Needs => ["nginx"];

    public override async Task RunAsync()
    {
        LoopbackModel model = BenchmarkModels.One(Options.SizeOr(2 * Units.GiB));
        using NginxRegistry nginx = await NginxRegistry.StartAsync(Options.Folder, [model]);
        Console.WriteLine($"One blob of {model.Blobs[0].Length / Units.MiB} MiB from nginx onto {Options.Disk}; PSModel is the process less an empty one.");
        Contender curl = new("curl -o, then sync -f", $"curl -sf -o $OUT/blob {nginx.BlobAddress(model)} && sync -f $OUT/blob", ["curl"]);
        Contender ours = Psmodel.Save("Save-ModelBlob -VerifyInline", nginx.Name(model), $"-VerifyInline -Digest {model.Blobs[0].Digest}");
        Dictionary<Contender, Measurement> medians = await Rounds(Options.Disk).MeasureAndPrintAsync(Psmodel.Empty, curl, ours);
        Report.AtMost("disk, PSModel against curl -o and sync", (medians[ours].Wall - medians[Psmodel.Empty].Wall) / medians[curl].Wall, Bound);
    }
}
