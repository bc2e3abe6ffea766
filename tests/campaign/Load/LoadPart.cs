using PSModel.Campaign.Calls;
using PSModel.Campaign.Checking;
using PSModel.Campaign.Reporting;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Campaign.Load;

/// <summary>Much at a time: many models, a model of many blobs, several processes on one store. Memory and handles stay.</summary>
internal static class LoadPart
{
    private const int Usual = 3;
    private const int KiB = 1024;

    /// <summary>The registry's own bytes included, which lie in the same process.</summary>
    private const long MostGrowth = 256L * KiB * KiB;

    public static async Task RunAsync(CampaignOptions options, PartReport report)
    {
        for (int index = options.Index; index < options.Index + (options.Count ?? Usual); index++)
        {
            Checker checker = new(report, index);
            using TemporaryFolder folder = new(options.Folder);
            await using LoopbackRegistry registry = LoopbackRegistry.Start();
            SavedModels models = new();
            switch (index % Usual)
            {
                case 0:
                    checker.Step = "200 models of 20 blobs";
                    Enumerable.Range(0, 200).ToList().ForEach(model => models.Add(registry, LoopbackModel.GenerateMany("library/demo", $"v{model}", 20, 4 * KiB, 1 + (model * 20))));
                    await RunAsync(folder.Path, registry, models, checker);
                    break;
                case 1:
                    checker.Step = "a model of 5,000 blobs";
                    models.Add(registry, LoopbackModel.GenerateMany("library/demo", "many", 5000, 2 * KiB));
                    await RunAsync(folder.Path, registry, models, checker);
                    break;
                default:
                    checker.Step = "four processes on one store";
                    models.Add(registry, LoopbackModel.GenerateMany("library/demo", "shared", 40, 700 * KiB));
                    await ShareAsync(folder.Path, registry, models, checker);
                    break;
            }

            checker.Report.CountFault(checker.Step);
            new StoreCheck(folder.Path, checker).Look();
            models.LookAtWhole(folder.Path, checker);
            report.CountScenario();
        }
    }

    private static async Task RunAsync(string store, LoopbackRegistry registry, SavedModels models, Checker checker)
    {
        long before = GC.GetTotalMemory(forceFullCollection: true);
        CallResult result = await new CallRunner(checker, () => registry.BlobBytesSent).RunAsync(new CallPlan { Store = store, Names = models.Names, Connections = 16, IsPatient = true });
        long growth = GC.GetTotalMemory(forceFullCollection: true) - before;
        checker.That(result.IsWhole, "everything is saved", () => string.Join("; ", result.Faults.Select(fault => $"{fault.Fault}: {fault.Message}")));
        checker.That(growth < MostGrowth, "memory stays", () => $"it grew by {growth} bytes");
    }

    /// <summary>Each blob is fetched by one of them.</summary>
    private static async Task ShareAsync(string store, LoopbackRegistry registry, SavedModels models, Checker checker)
    {
        CallPlan plan = new() { Store = store, Names = models.Names, Connections = 8, IsPatient = true };
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => ChildCall.RunKilledAsync(plan, checker, () => registry.BlobBytesSent)));
        long size = models.Blobs.DistinctBy(blob => blob.Digest).Sum(blob => blob.Length);
        checker.That(registry.BlobBytesSent == size, "nothing twice", () => $"{registry.BlobBytesSent} bytes were sent for {size}");
    }
}
