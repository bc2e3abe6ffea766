using System.Globalization;
using PSModel.Benchmarks.Measuring;
using PSModel.Benchmarks.Servers;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Benchmarks.Scenarios;

/// <summary>Kills a call late in the blob and starts it again: what comes twice, and how soon the second call asks for bytes.</summary>
internal sealed class ResumeScenario(BenchmarkOptions options, Report report) : Scenario(options, report)
{
    /// <summary>A smaller blob is there before the kill.</summary>
    private const long LeastSize = 512 * Units.MiB;

    public override string Name => "resume";

    public override async Task RunAsync()
    {
        await using LoopbackRegistry registry = LoopbackRegistry.Start();
        using TemporaryFolder store = new(Options.Folder);
        long size = Math.Max(LeastSize, Options.SizeOr(2 * Units.GiB));
        LoopbackModel model = BenchmarkModels.One(size);
        string name = registry.Offer(model);
        string script = $"'begun {{0}}' -f [datetime]::UtcNow.Ticks; $null = Save-ModelBlob {name} '{store.Path}' -ErrorAction Stop -VerifyInline -Digest {model.Blobs[0].Digest}";
        using (ChildProcess killed = ChildProcess.StartScript(script))
        {
            while (registry.BlobBytesSent < size * 3 / 4)
            {
                await Task.Delay(1);
            }

            await killed.KillAsync();
        }

        long before = registry.BlobBytesSent;
        DateTime? asked = null;
        registry.Fault = (request, _) => asked ??= request.IsBlob ? DateTime.UtcNow : null;
        using ChildProcess second = ChildProcess.StartScript(script);
        await second.WaitAsync();
        DateTime begun = new(long.Parse(second.Output.Split(' ', StringSplitOptions.TrimEntries)[1], CultureInfo.InvariantCulture), DateTimeKind.Utc);
        Console.WriteLine($"killed after {before / Units.MiB} MiB; {(registry.BlobBytesSent - size) / Units.MiB} MiB came twice, what was in flight included");
        Console.WriteLine($"the second call asked for bytes {(asked!.Value - begun).TotalSeconds:0.00} s after the cmdlet's start");
    }
}
