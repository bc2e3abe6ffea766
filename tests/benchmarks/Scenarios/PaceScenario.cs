using PSModel.Benchmarks.Measuring;
using PSModel.Benchmarks.Servers;
using PSModel.Loopback;

namespace PSModel.Benchmarks.Scenarios;

/// <summary>Whether the registry on loopback gives each connection what it is told to, so that rows measured with it mean something.</summary>
internal sealed class PaceScenario(BenchmarkOptions options, Report report) : Scenario(options, report)
{
    private const double Seconds = 4;
    private const double Least = 0.98;
    private const double Most = 1.01;

    public override string Name => "pace";

    public override string[] Needs => ["curl"];

    public override async Task RunAsync()
    {
        foreach ((int rate, int[] counts) in new[] { (20 * Units.MB, new[] { 1, 8, 16 }), (4 * Units.MB, new[] { 8 }), (2 * Units.MB, new[] { 1, 32 }), (Units.MB / 10, new[] { 32 }) })
        {
            await using ThrottledRegistry registry = new(rate);
            LoopbackModel model = BenchmarkModels.One((long)(rate * Seconds));
            registry.Offer(model);
            string address = $"{registry.Address}v2/{model.Name}/blobs/{model.Blobs[0].Digest}";
            foreach (int count in counts)
            {
                Contender curls = new($"{count} × curl", $"{{ for i in $(seq {count}); do curl -sf -o /dev/null -w '%{{speed_download}}\\n' {address} & done; wait; }} | awk '{{ sum += $1 }} END {{ printf \"figure rate %d\\n\", sum }}'", ["curl"]);
                Measurement median = (await ThrottledRounds().MeasureAsync(curls))[curls];
                double given = median.Figures["rate"];
                Report.AtLeast($"pace, {count} connections of {rate / (double)Units.MB:0.0} MB/s give {given / Units.MB:0.0} MB/s", given / count / rate, Least);
                Report.AtMost($"pace, {count} connections of {rate / (double)Units.MB:0.0} MB/s", given / count / rate, Most);
            }
        }
    }
}
