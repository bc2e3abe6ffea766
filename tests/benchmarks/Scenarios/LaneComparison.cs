using PSModel.Benchmarks.Measuring;
using PSModel.Benchmarks.Servers;
using PSModel.Loopback;

namespace PSModel.Benchmarks.Scenarios;

/// <summary>Several connections against one, by their rates: the one may fetch a part of the blob, to save time.</summary>
internal sealed class LaneComparison(ThrottledRegistry registry, Rounds rounds, Report report)
{
    /// <param name="size">The blob's bytes.</param>
    /// <param name="part">The one connection fetches one of so many parts.</param>
    /// <param name="lanes">How many connections, <see langword="null"/> for as many as PSModel takes by itself, and what they bring at least.</param>
    public async Task RunAsync(long size, int part, params (int? Lanes, double Bound)[] lanes)
    {
        LoopbackModel whole = BenchmarkModels.One(size);
        LoopbackModel little = BenchmarkModels.One(size / part, "part");
        string name = registry.Offer(whole);
        string littleName = registry.Offer(little);
        Console.WriteLine($"{size / (double)Units.MiB:0.#} MiB {registry.Description}{(part == 1 ? string.Empty : $"; the one connection fetches 1/{part} of it")}. {Psmodel.SecondsMeaning}");
        Contender one = Save("one connection", littleName, little, 1);
        (Contender Contender, double Bound)[] several = [.. lanes.Select(each => (Save(Text(each.Lanes), name, whole, each.Lanes), each.Bound))];
        Dictionary<Contender, Measurement> medians = await rounds.MeasureAndPrintAsync([one, .. several.Select(each => each.Contender)]);
        double rateOfOne = little.Blobs[0].Length / medians[one].Seconds;
        foreach ((Contender contender, double bound) in several)
        {
            double rate = size / medians[contender].Seconds;
            double wire = medians[contender].Counted / size;
            Console.WriteLine($"one connection {rateOfOne / Units.MB:0.0} MB/s, {contender.Name} {rate / Units.MB:0.0} MB/s");
            report.AtLeast($"{report.Scenario}, {contender.Name} against one at {registry.BytesPerSecond / Units.MB} MB/s", rate / rateOfOne, bound);
            report.AtMost($"{report.Scenario}, {contender.Name}, bytes sent by the server over the blob's", wire, 1.03);
        }
    }

    private static string Text(int? lanes) => lanes is null ? "default limit" : $"-ThrottleLimit {lanes}";

    private Contender Save(string name, string modelName, LoopbackModel model, int? lanes) =>
        Psmodel.TimedSave(name, registry.Warm, modelName, $"-VerifyInline {(lanes is null ? string.Empty : Text(lanes))} -Digest {model.Blobs[0].Digest}") with
        {
            Counter = () => registry.BlobBytesSent,
        };
}
