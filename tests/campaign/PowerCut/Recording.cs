using PSModel.Campaign.Calls;
using PSModel.Campaign.Checking;
using PSModel.Campaign.Storage;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Campaign.PowerCut;

/// <summary>A save, perhaps in two calls, of which every step was written down.</summary>
/// <param name="History">The steps.</param>
/// <param name="Store">The store's path in them.</param>
/// <param name="Models">What was saved.</param>
internal sealed record Recording(DiskHistory History, string Store, SavedModels Models)
{
    /// <summary>A mark begins with it where a blob was told to be there; a manifest's begins with the other.</summary>
    public const string BlobMark = "blob ";

    public const string ManifestMark = "manifest ";

    public static async Task<Recording> MakeAsync(CampaignOptions options, int number, LoopbackRegistry registry, Checker checker)
    {
        Random random = new((options.Seed * 1_000_003) + number);
        using TemporaryFolder folder = new(options.Folder);
        string store = Path.Combine(folder.Path, "models");
        Directory.CreateDirectory(store);
        string log = Path.Combine(folder.Path, "log");
        SavedModels models = new();
        int small = random.Next(2) == 0 ? 2 : 12;
        models.Add(registry, LoopbackModel.OfBlobs("library/demo", $"v{number}", [BlobContent.Generate(random.Next(1_500_000, 3_000_000), random.Next()), .. Enumerable.Range(0, small).Select(_ => BlobContent.Generate(random.Next(30_000), random.Next()))]));
        CallRunner runner = new(checker, () => registry.BlobBytesSent)
        {
            BlobSaved = digest => StoreShim.Mark(BlobMark + digest),
            ModelSaved = name => StoreShim.Mark(ManifestMark + name),
        };
        CallPlan plan = new() { Store = store, Names = models.Names, IsPatient = true, ReadBack = random.Next(3) == 0 };
        StoreShim.Begin(store, log: log);
        if (random.Next(2) == 0)
        {
            registry.Fault = (_, answer) => answer.BytesPerSecond = 30_000_000;
            await runner.RunAsync(plan with { StopAtBytes = random.Next(2_000_000) });
            registry.Fault = null;
        }

        await runner.RunAsync(plan);
        StoreShim.End();
        return new Recording(DiskHistory.Read(log), store, models);
    }
}
