using PSModel.Campaign.Calls;
using PSModel.Campaign.Checking;
using PSModel.Campaign.Reporting;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Campaign.Stop;

/// <summary>Ctrl-C at random moments: the call comes back at once, and the next one goes on.</summary>
internal static class StopPart
{
    private const int Usual = 200;

    /// <summary>About as long as a call takes, in milliseconds.</summary>
    private const int Longest = 500;

    public static async Task RunAsync(CampaignOptions options, PartReport report)
    {
        ParallelOptions parallel = new() { MaxDegreeOfParallelism = Math.Min(options.Parallel, 2) };
        await Parallel.ForEachAsync(Enumerable.Range(options.Index, options.Count ?? Usual), parallel, async (index, _) =>
        {
            await RunAsync(options, index, new Checker(report, index));
            report.CountScenario();
        });
    }

    private static async Task RunAsync(CampaignOptions options, int index, Checker checker)
    {
        Random random = new((options.Seed * 1_000_003) + index);
        using TemporaryFolder folder = new(options.Folder);
        await using LoopbackRegistry registry = LoopbackRegistry.Start();
        registry.Fault = (_, answer) => answer.BytesPerSecond = 15_000_000;
        SavedModels models = new();
        models.Add(registry, LoopbackModel.OfBlobs("library/demo", "latest", [BlobContent.Generate(random.Next(3_000_000, 8_000_000), random.Next()), .. Enumerable.Range(0, random.Next(30)).Select(_ => BlobContent.Generate(random.Next(200_000), random.Next()))]));
        CallPlan plan = new()
        {
            Store = folder.Path,
            Names = models.Names,
            Connections = random.Next(1, 17),
            ReadBack = random.Next(2) == 0,
            IsPatient = true,
            BandwidthLimit = random.Next(4) == 0 ? 10_000_000 : 0,
        };
        CallRunner runner = new(checker, () => registry.BlobBytesSent);
        StoreCheck check = new(folder.Path, checker);
        for (int stops = random.Next(1, 4); stops > 0; stops--)
        {
            int after = random.Next(Longest);
            checker.Step = $"stopped after {after} ms";
            checker.Report.CountFault("stopped");
            await runner.RunAsync(plan with { StopAfter = after });
            check.Look();
        }

        checker.Step = "next call";
        CoverCheck cover = new(folder.Path, registry, models.Blobs);
        CallResult result = await runner.RunAsync(plan);
        check.Look();
        checker.That(result.IsWhole, "the next call succeeds", () => string.Join("; ", result.Faults.Select(fault => $"{fault.Fault}: {fault.Message}")));
        cover.Look(checker, result);
        models.LookAtWhole(folder.Path, checker);
    }
}
