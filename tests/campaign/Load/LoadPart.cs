using PSModel.Campaign.Calls;
using PSModel.Campaign.Checking;
using PSModel.Campaign.Reporting;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Campaign.Load;

/// <summary>Much at a time: many models, many blobs, a very long one, several processes and runspaces. Memory and handles stay.</summary>
internal static class LoadPart
{
    private const int KiB = 1024;

    /// <summary>The registry's own bytes included, which lie in the same process.</summary>
    private const long MostGrowth = 256L * KiB * KiB;

    private static readonly (string Name, Func<string, LoopbackRegistry, Checker, Task> RunAsync)[] Kinds =
    [
        ("200 models of 20 blobs", (store, registry, checker) => SaveAsync(store, registry, ManyModels(registry), checker)),
        ("a model of 5,000 blobs", (store, registry, checker) => SaveAsync(store, registry, ManyBlobs(registry), checker)),
        ("four processes on one store", ShareAsync),
        ("six runspaces side by side", Runspaces.RunAsync),
        ("a blob of 64 GiB", (_, registry, checker) => LongBlob.RunAsync(registry, checker)),
    ];

    public static async Task RunAsync(CampaignOptions options, PartReport report)
    {
        for (int index = options.Index; index < options.Index + (options.Count ?? Kinds.Length); index++)
        {
            (string name, Func<string, LoopbackRegistry, Checker, Task> run) = Kinds[index % Kinds.Length];
            Checker checker = new(report, index) { Step = name };
            using TemporaryFolder folder = new(options.Folder);
            await using LoopbackRegistry registry = LoopbackRegistry.Start();
            await run(folder.Path, registry, checker);
            report.CountFault(name);
            report.CountScenario();
        }
    }

    private static SavedModels ManyModels(LoopbackRegistry registry)
    {
        SavedModels models = new();
        Enumerable.Range(0, 200).ToList().ForEach(model => models.Add(registry, LoopbackModel.GenerateMany("library/demo", $"v{model}", 20, 4 * KiB, 1 + (model * 20))));
        return models;
    }

    private static SavedModels ManyBlobs(LoopbackRegistry registry)
    {
        SavedModels models = new();
        models.Add(registry, LoopbackModel.GenerateMany("library/demo", "many", 5000, 2 * KiB));
        return models;
    }

    private static async Task SaveAsync(string store, LoopbackRegistry registry, SavedModels models, Checker checker)
    {
        long before = GC.GetTotalMemory(forceFullCollection: true);
        CallResult result = await new CallRunner(checker, () => registry.BlobBytesSent).RunAsync(new CallPlan { Store = store, Names = models.Names, Connections = 16, IsPatient = true });
        long growth = GC.GetTotalMemory(forceFullCollection: true) - before;
        checker.That(result.IsWhole, "everything is saved", () => string.Join("; ", result.Faults.Select(fault => $"{fault.Fault}: {fault.Message}")));
        checker.That(growth < MostGrowth, "memory stays", () => $"it grew by {growth} bytes");
        new StoreCheck(store, checker).Look();
        models.LookAtWhole(store, checker);
    }

    /// <summary>Each blob is fetched by one of them.</summary>
    private static async Task ShareAsync(string store, LoopbackRegistry registry, Checker checker)
    {
        SavedModels models = new();
        models.Add(registry, LoopbackModel.GenerateMany("library/demo", "shared", 40, 700 * KiB));

        // Of several connections one comes to the help of another that the machine holds up, and what both bring counts twice.
        CallPlan plan = new() { Store = store, Names = models.Names, Connections = 1, IsPatient = true };
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => ChildCall.RunKilledAsync(plan, checker, () => registry.BlobBytesSent)));
        long size = models.Blobs.DistinctBy(blob => blob.Digest).Sum(blob => blob.Length);
        checker.That(registry.BlobBytesSent == size, "nothing twice", () => $"{registry.BlobBytesSent} bytes were sent for {size}");
        new StoreCheck(store, checker).Look();
        models.LookAtWhole(store, checker);
    }
}
