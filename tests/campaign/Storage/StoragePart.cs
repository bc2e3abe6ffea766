using PSModel.Campaign.Calls;
using PSModel.Campaign.Checking;
using PSModel.Campaign.Reporting;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Campaign.Storage;

/// <summary>Every step that a call takes in its store fails once, at every place, in several ways.</summary>
internal static class StoragePart
{
    private const int Usual = 300;

    /// <summary>Saves that take other steps: few blobs or many, from the beginning or going on.</summary>
    private const int Kinds = 4;

    /// <summary>Every so many scenarios one is not of a single step: a folder that vanishes, a volume that is full.</summary>
    private const int MishapEach = 10;

    /// <summary><c>EIO</c>, <c>ENOSPC</c>, <c>EDQUOT</c>, <c>EROFS</c>, <c>EACCES</c> and <c>EFBIG</c> of Linux, and a step that goes half way.</summary>
    private static readonly (int Number, string Name)[] Errors = [(5, "EIO"), (28, "ENOSPC"), (122, "EDQUOT"), (30, "EROFS"), (13, "EACCES"), (27, "EFBIG"), (-1, "half")];

    /// <summary>Runs in a process that has the shim.</summary>
    public static async Task RunAsync(CampaignOptions options, PartReport report)
    {
        int[] steps = new int[Kinds];
        for (int index = options.Index; index < options.Index + (options.Count ?? Usual); index++)
        {
            Checker checker = new(report, index);
            if (index % MishapEach == MishapEach - 1)
            {
                await new StorageMishap(options, index, checker).RunAsync();
            }
            else
            {
                int kind = index % Kinds;
                steps[kind] = steps[kind] > 0 ? steps[kind] : await RunAsync(options, kind, checker, at: 0, (0, string.Empty));
                int place = index / Kinds * 7;
                await RunAsync(options, kind, checker, 1 + (place % steps[kind]), Errors[(index / Kinds) % Errors.Length]);
            }

            report.CountScenario();
        }
    }

    /// <summary>The number of steps.</summary>
    private static async Task<int> RunAsync(CampaignOptions options, int kind, Checker checker, int at, (int Number, string Name) error)
    {
        using TemporaryFolder folder = new(options.Folder);
        await using LoopbackRegistry registry = LoopbackRegistry.Start();
        string store = Path.Combine(folder.Path, "models");
        SavedModels models = ModelsOf(options, kind, registry);
        CallRunner runner = new(checker, () => registry.BlobBytesSent);
        StoreCheck check = new(store, checker);
        CallPlan plan = new() { Store = store, Names = models.Names, IsPatient = true };
        checker.Step = "before anything fails";
        if (kind >= Kinds / 2)
        {
            registry.Fault = (_, answer) => answer.BytesPerSecond = 30_000_000;
            await runner.RunAsync(plan with { Connections = 1, StopAtBytes = 1_500_000 });
            registry.Fault = null;
        }

        StoreShim.Begin(folder.Path, at, error.Number);
        CallResult result = await runner.RunAsync(plan);
        (int steps, string failed) = StoreShim.End();
        checker.Step = $"{error.Name} at step {at}: {failed}, and the call {(result.IsWhole ? "succeeded" : $"ended with {string.Join(", ", result.Faults.Select(fault => fault.Fault))}")}";
        if (at > 0)
        {
            checker.Report.CountFault(failed.Length > 0 ? $"{error.Name} {failed[0]}" : "none");
        }

        check.Look();
        checker.That(failed.Length > 0 || result.IsWhole, "nothing fails by itself", () => string.Join("; ", result.Faults.Select(fault => fault.Message)));
        checker.Step += ", next call";
        CallResult next = await runner.RunAsync(plan);
        check.Look();
        checker.That(next.IsWhole, "the next call succeeds", () => string.Join("; ", next.Faults.Select(fault => $"{fault.Fault}: {fault.Message}")));
        if (next.IsWhole)
        {
            models.LookAtWhole(store, checker);
        }

        return steps;
    }

    private static SavedModels ModelsOf(CampaignOptions options, int kind, LoopbackRegistry registry)
    {
        Random random = new((options.Seed * 1_000_003) + kind);
        int small = kind % 2 == 0 ? 2 : 12;
        List<BlobContent> blobs = [BlobContent.Generate(random.Next(2_000_000, 3_000_000), random.Next()), .. Enumerable.Range(0, small).Select(_ => BlobContent.Generate(random.Next(50_000), random.Next()))];
        SavedModels models = new();
        models.Add(registry, LoopbackModel.OfBlobs("library/demo", "latest", blobs));
        return models;
    }
}
