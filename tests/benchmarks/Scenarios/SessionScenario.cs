using PSModel.Benchmarks.Measuring;
using PSModel.Benchmarks.Servers;
using PSModel.Loopback;

namespace PSModel.Benchmarks.Scenarios;

/// <summary>Many saves in one session: buffers of a call are used by the next.</summary>
internal sealed class SessionScenario(BenchmarkOptions options, Report report) : Scenario(options, report)
{
    private const double Bound = 1.1;
    private const int Few = 2;
    private const int Many = 10;

    public override string Name => "session";

    public override async Task RunAsync()
    {
        long size = Options.SizeOr(Units.GiB);
        await using ThrottledRegistry registry = new(0);
        LoopbackModel model = BenchmarkModels.One(size);
        Contender session = Psmodel.Process($"{Many} saves", $$"""
            foreach ($i in 1..{{Many}}) {
                $null = {{Psmodel.Command(registry.Offer(model), $"-VerifyInline -Digest {model.Blobs[0].Digest}")}}
                [System.IO.Directory]::GetFileSystemEntries($env:OUT).ForEach({ [System.IO.Directory]::Delete($_, $true) })
                if ($i -in {{Few}}, {{Many}}) {
                    $line = [System.IO.File]::ReadAllLines('/proc/self/status').Where({ $_.StartsWith('VmRSS') })[0]
                    "figure after-$i $(1024 * ($line -replace '\D'))"
                }
            }
            """);
        Console.WriteLine($"{Many} saves of {size / Units.MiB} MiB {registry.Description}, as fast as they come, in one session; VmRSS after each.");
        Measurement median = (await ThrottledRounds().MeasureAsync(session))[session];
        double few = median.Figures[$"after-{Few}"];
        double many = median.Figures[$"after-{Many}"];
        Console.WriteLine($"after {Few} saves {few / Units.MB:0} MB, after {Many} {many / Units.MB:0} MB, peak {median.Memory / Units.MB:0} MB");
        Report.AtMost($"session, resident after {Many} saves against {Few}", many / few, Bound);
    }
}
