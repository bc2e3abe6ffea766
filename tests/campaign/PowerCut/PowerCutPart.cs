using PSModel.Campaign.Calls;
using PSModel.Campaign.Checking;
using PSModel.Campaign.Reporting;
using PSModel.Core.Names;
using PSModel.Core.Store;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Campaign.PowerCut;

/// <summary>
/// The power fails in the middle of a save, at any step: what was not flushed is lost whole, in part or not at all, and what
/// was done to a folder that was not synced comes in any order. Each state is looked at, and saved to the end.
/// </summary>
internal static class PowerCutPart
{
    private const int Usual = 300;

    /// <summary>States of one recorded save.</summary>
    private const int StatesEach = 24;

    private static readonly LossKind[] Losses = Enum.GetValues<LossKind>();

    /// <summary>Runs in a process that has the shim.</summary>
    public static async Task RunAsync(CampaignOptions options, PartReport report)
    {
        await using LoopbackRegistry registry = LoopbackRegistry.Start();
        Recording? recording = null;
        int recorded = -1;
        for (int index = options.Index; index < options.Index + (options.Count ?? Usual); index++)
        {
            Checker checker = new(report, index) { Step = "the save itself" };
            if (recording is null || recorded != index / StatesEach)
            {
                recorded = index / StatesEach;
                recording = await Recording.MakeAsync(options, recorded, registry, checker);
            }

            await CutAsync(options, index, recording, registry, checker);
            report.CountScenario();
        }
    }

    private static async Task CutAsync(CampaignOptions options, int index, Recording recording, LoopbackRegistry registry, Checker checker)
    {
        Random random = new((options.Seed * 1_000_003) + index);
        LossKind loss = Losses[index % Losses.Length];

        // The end as well: what was told to be there must be.
        int last = recording.History.Steps.Count - 1;
        int cut = random.Next(6) == 0 ? last : random.Next(last + 1);
        checker.Step = $"power fails at step {cut} of {last}, {recording.History.Steps[cut].Kind} {recording.History.Steps[cut].Path}; lost: {loss}";
        checker.Report.CountFault($"lost {loss}");
        using TemporaryFolder folder = new(options.Folder);
        string store = Path.Combine(folder.Path, "models");
        Directory.CreateDirectory(store);
        new DiskState(recording.History, cut, loss, random).Write(recording.Store, store);
        StoreCheck check = new(store, checker);
        check.Look();
        LookAtPromises(recording, cut, store, checker);

        CallRunner runner = new(checker, () => registry.BlobBytesSent);
        CallResult result = await runner.RunAsync(new CallPlan { Store = store, Names = recording.Models.Names, IsPatient = true });
        check.Look();
        checker.That(result.IsWhole, "the next call succeeds", () => string.Join("; ", result.Faults.Select(fault => $"{fault.Fault}: {fault.Message}")));
        if (result.IsWhole)
        {
            recording.Models.LookAtWhole(store, checker);
        }
    }

    /// <summary>What was told to be saved before the power failed lies on the disk.</summary>
    private static void LookAtPromises(Recording recording, int cut, string root, Checker checker)
    {
        ModelStore store = new(root);
        foreach (DiskStep mark in recording.History.Steps.Take(cut + 1).Where(step => step.Kind == 'K'))
        {
            string path = mark.Path.StartsWith(Recording.BlobMark, StringComparison.Ordinal)
                ? store.BlobPath(BlobDigest.Parse(mark.Path[Recording.BlobMark.Length..]))
                : store.Manifests.PathOf(ModelName.Parse(mark.Path[Recording.ManifestMark.Length..]));
            checker.That(File.Exists(path), "what is told lies on the disk", () => $"'{mark.Path}' was told");
        }
    }
}
