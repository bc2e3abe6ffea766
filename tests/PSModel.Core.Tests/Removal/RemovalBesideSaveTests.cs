using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Registry;
using PSModel.Core.Removal;
using PSModel.Core.Store;
using PSModel.Core.Transfer;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Core.Tests.Removal;

/// <summary>A model is saved while other calls remove.</summary>
public sealed class RemovalBesideSaveTests : EngineTests
{
    private readonly RemovalWatcher _removals = new();

    private ModelStore Store => new(Folder.Path);

    [Fact]
    public async Task Blobs_in_flight_and_blobs_that_wait_for_their_manifest_stay()
    {
        LoopbackModel model = LoopbackModel.Generate("library/demo", "latest", 3 * MB);
        Options.Connections = 1;
        int looked = 0;
        Watcher.OnFinished = blob =>
        {
            // Those of the blobs before wait for their manifest.
            new ModelRemover(Store, _removals, isDryRun: false).RemoveUnused(isYoungToo: false, default);
            looked++;
        };
        Fault((_, answer) =>
        {
            // At this moment the blob is held.
            ModelRemover remover = new(Store, _removals, isDryRun: false);
            remover.RemovePartial(default);
            looked++;
        });

        await SaveAsync(model);

        Assert.True(looked > model.Blobs.Count);
        Assert.All(model.Blobs, blob => Assert.Equal(blob.Digest, Folder.DigestOf(blob.Digest)));
        Assert.Empty(_removals.Files);
        Assert.Empty(_removals.Faults);
    }

    [Fact]
    public async Task Blobs_of_an_earlier_call_that_a_save_counts_on_stay()
    {
        LoopbackModel model = LoopbackModel.Generate("library/demo", "latest", 3 * MB);
        OllamaStore store = new(Folder.Path);
        store.PutBlobs(model);
        File.Delete(Folder.Blob(model.Blobs[1].Digest));
        Array.ForEach(Directory.GetFiles(Folder.Blobs), blob => File.SetLastWriteTimeUtc(blob, DateTime.UtcNow.AddHours(-5)));
        Fault((request, answer) =>
        {
            // The save comes to the others while this one is waited for.
            Until.HoldsAsync(() => Array.TrueForAll(Directory.GetFiles(Folder.Blobs), blob => File.GetLastWriteTimeUtc(blob) > DateTime.UtcNow.AddMinutes(-5)), TimeSpan.FromSeconds(20)).GetAwaiter().GetResult();
            new ModelRemover(Store, _removals, isDryRun: false).RemoveUnused(isYoungToo: false, default);
        });

        await SaveAsync(model);

        Assert.Empty(_removals.Files);
        Assert.All(model.Blobs, blob => Assert.Equal(blob.Digest, Folder.DigestOf(blob.Digest)));
    }

    [Fact]
    public async Task A_blob_that_a_killed_removal_had_set_aside_is_not_fetched_again()
    {
        LoopbackModel model = LoopbackModel.Generate("library/demo", "latest", 3 * MB);
        await SaveAsync(model);
        int before = BlobRequests.Count;
        string blob = Folder.Blob(model.Blobs[0].Digest);
        File.Move(blob, Path.Combine(Folder.Work, $"{Path.GetFileName(blob)}.aside"));

        await SaveAsync(model);

        Assert.Equal(before, BlobRequests.Count);
        Assert.Equal(model.Blobs[0].Digest, Folder.DigestOf(model.Blobs[0].Digest));
    }

    [Fact]
    public async Task What_a_killed_removal_had_set_aside_goes_where_the_blob_is_back_as_another_name_of_the_same_file()
    {
        LoopbackModel model = LoopbackModel.Generate("library/demo", "latest", 3 * MB);
        await SaveAsync(model);
        string blob = Folder.Blob(model.Blobs[0].Digest);
        DurableFile.Link(blob, Path.Combine(Folder.Work, $"{Path.GetFileName(blob)}{BlobAside.Extension}"));

        await SaveAsync(model);

        AssertNothingIsAside();
        Assert.Equal(model.Blobs[0].Digest, Folder.DigestOf(model.Blobs[0].Digest));
    }

    [Fact]
    public async Task Whatever_is_saved_and_removed_side_by_side_no_manifest_lacks_a_blob()
    {
        // Any two share all but their weights.
        LoopbackModel[] models = [.. Enumerable.Range(1, 4).Select(seed => LoopbackModel.Generate("library/demo", $"t{seed}", 20_000, seed: seed))];
        string[] names = [.. models.Select(model => Registry.Offer(model))];
        using CancellationTokenSource end = new();
        Task[] removing = [.. Enumerable.Range(0, 2).Select(which => Task.Run(() => RemoveAgainAndAgain(names, which, end.Token)))];
        for (int round = 0; round < 60; round++)
        {
            await TrySaveAsync(names[round % names.Length]);
            await RequireBlobsAsync();
        }

        await end.CancelAsync();
        await Task.WhenAll(removing);
        await RequireBlobsAsync();
        foreach (string name in names)
        {
            await TrySaveAsync(name);
        }

        Assert.Equal(names.Length, Store.Manifests.FindNames().Count);
        AssertWhole();
        AssertNothingIsAside();
    }

    private async Task SaveAsync(LoopbackModel model)
    {
        string name = Registry.Offer(model);
        await TrySaveAsync(name);
        Assert.NotNull(Store.Manifests.TryRead(ModelName.Parse(name)));
    }

    private async Task TrySaveAsync(string name)
    {
        using RegistryClient client = new(RegistryOptions);
        ModelSaver saver = new(client, Store, Options);
        await saver.SaveAsync([new ModelRequest(name, token => client.GetManifest(ModelName.Parse(name), token))], [], Watcher, default);
    }

    private void RemoveAgainAndAgain(string[] names, int which, CancellationToken end)
    {
        RemovalWatcher watcher = new();
        for (int round = which; !end.IsCancellationRequested; round++)
        {
            try
            {
                ModelRemover remover = new(Store, watcher, isDryRun: false);
                remover.RemoveModel(ModelName.Parse(names[round % names.Length]), default);
                remover.Finish(default);
            }
            catch (Faults.ModelFaultException)
            {
                // It is not there just now, or was written anew.
            }
        }
    }

    /// <summary>What is aside comes back with the next call, and why it did not is what that call told.</summary>
    private void AssertNothingIsAside()
    {
        string[] aside = Directory.GetFiles(Folder.Work, $"*{BlobAside.Extension}");
        Assert.True(aside.Length == 0, string.Join(Environment.NewLine, [.. aside, .. Watcher.Told.TakeLast(20)]));
    }

    /// <summary>A removal takes the manifest away before its blobs, so one that stays has to have them. What is named after all comes back
    /// in a moment: it was set aside while the manifests were looked at once more.</summary>
    private async Task RequireBlobsAsync()
    {
        foreach (Manifest manifest in Store.Manifests.ReadAll())
        {
            await Until.HoldsAsync(() => manifest.Blobs.All(Store.Has) || Store.Manifests.TryRead(manifest.Name)?.Digest != manifest.Digest, TimeSpan.FromSeconds(30));
        }
    }

    private void AssertWhole()
    {
        foreach (Manifest manifest in Store.Manifests.ReadAll())
        {
            Assert.All(manifest.Blobs, layer => Assert.Equal(layer.Digest.ToString(), Folder.DigestOf(layer.Digest.ToString())));
        }
    }
}
