using PSModel.Benchmarks.Measuring;
using PSModel.Benchmarks.Servers;
using PSModel.Loopback;

namespace PSModel.Benchmarks.Scenarios;

/// <summary>One connection among many becomes slow or silent: the others do its work.</summary>
internal sealed class SlowLaneScenario(BenchmarkOptions options, Report report) : Scenario(options, report)
{
    private const double Bound = 1.3;
    private const int Lanes = 16;
    private const int SlowRate = 100_000;

    /// <summary>A hanging save is no reason to wait for ever.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    public override string Name => "slow-lane";

    public override async Task RunAsync()
    {
        long size = Options.SizeOr(Units.GiB);
        await using ThrottledRegistry registry = new(20 * Units.MB);
        (string Kind, LaneFault Fault)[] faults = [("falls to 100 kB/s", new LaneFault(7, Lanes, size / Lanes, SlowRate)), ("stalls for ever", new LaneFault(8, Lanes, size / Lanes, 0))];
        Console.WriteLine($"{size / Units.MiB} MiB {registry.Description}, -ThrottleLimit {Lanes}; one connection, another in each round, becomes slow or silent after a random number of its bytes. {Psmodel.SecondsMeaning}");
        Contender without = Save(registry, "whole", size) with { Name = "no fault", Prepare = () => registry.Fault = null };
        Contender[] with = [.. faults.Select((fault, at) => Save(registry, $"fault-{at}", size) with
        {
            Name = $"one {fault.Kind}",
            Patience = Patience,
            Prepare = () =>
            {
                fault.Fault.Draw();
                registry.Fault = fault.Fault.Strike;
            },
        })];
        Dictionary<Contender, Measurement> medians = await ThrottledRounds().MeasureAndPrintAsync([without, .. with]);
        foreach (((string kind, LaneFault fault), Contender contender) in faults.Zip(with))
        {
            fault.End();
            Console.WriteLine($"{kind}: {string.Join("; ", fault.Runs)}");
            Report.AtMost($"slow-lane, one connection {kind} (in {fault.Strikes} of {fault.Runs.Count} runs), against no fault", medians[contender].Seconds / medians[without].Seconds, Bound);
            Report.AtMost($"slow-lane, one connection {kind}, slowest round against the slowest without fault", medians[contender].Runs.Max() / medians[without].Runs.Max(), Bound);
        }
    }

    private static Contender Save(ThrottledRegistry registry, string name, long size)
    {
        LoopbackModel model = BenchmarkModels.One(size, name);
        return Psmodel.TimedSave(name, registry.Warm, registry.Offer(model), $"-VerifyInline -ThrottleLimit {Lanes} -Digest {model.Blobs[0].Digest}");
    }
}
