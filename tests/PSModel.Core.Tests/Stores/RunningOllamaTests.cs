using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Store;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Core.Tests.Stores;

/// <summary>What Ollama may do to the store in between the steps of a save.</summary>
public sealed class RunningOllamaTests : SharedWithOllamaTests
{
    [Fact]
    public async Task What_Ollama_would_clean_up_while_a_long_save_runs_stays()
    {
        Options.FreshInterval = TimeSpan.FromMilliseconds(20);
        string? small = null;
        Watcher.OnFinished = blob =>
        {
            if (small is null)
            {
                // It came hours ago, and the large one is still underway.
                small = blob.Path;
                File.SetLastWriteTimeUtc(small, DateTime.UtcNow.AddHours(-5));
                Until.HoldsAsync(() => File.GetLastWriteTimeUtc(small) > DateTime.UtcNow.AddMinutes(-5)).GetAwaiter().GetResult();
                Store.Prune();
            }
        };

        await Watcher.SaveAsync(this, Model);

        Assert.True(File.Exists(small));
    }

    [Fact]
    public async Task What_was_there_unnamed_for_long_has_an_hour_from_the_manifest_on()
    {
        Store.PutBlobs(Model);
        AgeBlobs();
        await Watcher.SaveAsync(this, Model);
        Assert.All(Model.Blobs, blob => Assert.True(File.GetLastWriteTimeUtc(Folder.Blob(blob.Digest)) > DateTime.UtcNow.AddMinutes(-5)));

        // From here on the manifest keeps them, and a backup need not copy them again.
        AgeBlobs();
        LoopbackModel other = LoopbackModel.WithWeights("library/other", "latest", Model.Blobs[0]);
        await Watcher.SaveAsync(this, other);
        Assert.True(File.GetLastWriteTimeUtc(Folder.Blob(Model.Blobs[0].Digest)) < DateTime.UtcNow.AddHours(-4));
    }

    [Fact]
    public async Task A_blob_that_is_taken_away_while_leave_is_asked_for_is_told_of_and_no_manifest_is_written()
    {
        Watcher.OnConfirmManifest = () => File.Delete(Folder.Blob(Model.Blobs[0].Digest));
        ModelFaultException fault = await Assert.ThrowsAsync<ModelFaultException>(() => Watcher.SaveAsync(this, Model));
        Assert.Equal((ModelFault.BlobNotFound, Model.Blobs[0].Digest), (fault.Fault, fault.Facts.Digest));
        Assert.Contains("another program removed it", fault.Message, StringComparison.Ordinal);
        Assert.Empty(ManifestsLeft());
    }

    [Fact]
    public async Task A_pull_of_the_same_name_in_between_leaves_the_model_that_was_saved()
    {
        // As the change is proposed: its entry is written, and then the file of the other tree removed.
        InBetween(() =>
        {
            Store.PutBlobs(Old);
            Store.PutEntry(Kind, Old.Manifest, Entry);
            File.Delete(Store.ManifestPath(Plain));
        });

        await Watcher.SaveAsync(this, Model);

        Assert.Equal(Model.Manifest, File.ReadAllBytes(Assert.Single(ManifestsLeft())));
        Assert.Empty(EntriesLeft());
        AgeBlobs();
        Store.Prune();
        Assert.All(Model.Blobs, blob => Assert.True(File.Exists(Folder.Blob(blob.Digest))));
    }

    [Fact]
    public async Task What_cp_and_create_make_in_between_under_other_names_stays()
    {
        InBetween(() => Store.PutEntry(Kind, Model.Manifest, "ollama.com", "library", "copied", "latest"));
        await Watcher.SaveAsync(this, Model);
        ModelStore store = new(Folder.Path);
        Assert.Equal(2, store.Manifests.FindNames().Count);
        Assert.All(store.Manifests.FindNames(), name => Assert.Equal(Model.Manifest, store.Manifests.Read(name).GetBytes()));
    }

    [Fact]
    public void A_manifest_is_withdrawn_only_where_it_is_still_the_same()
    {
        StoredManifests manifests = new ModelStore(Folder.Path).Manifests;
        Manifest manifest = ManifestReader.Read(ModelName.Parse("demo"), "test", Model.Manifest);
        IReadOnlyList<ReplacedManifest> nothing = manifests.Write(manifest);
        Store.PutManifest(Old.Manifest, "registry.ollama.ai", "library", "demo", "latest");
        manifests.Withdraw(manifest, nothing);
        Assert.Equal(Old.Manifest, manifests.Read(manifest.Name).GetBytes());

        IReadOnlyList<ReplacedManifest> before = manifests.Write(manifest);
        Assert.Equal(Model.Manifest, manifests.Read(manifest.Name).GetBytes());
        manifests.Withdraw(manifest, before);
        Assert.Equal(Old.Manifest, manifests.Read(manifest.Name).GetBytes());

        Assert.Single(manifests.Write(manifest));
        manifests.Withdraw(manifest, nothing);
        Assert.False(manifests.Has(manifest.Name));
    }

    [NeedsFact("mount", Root = true)]
    public async Task A_blob_whose_time_cannot_be_set_keeps_none_of_the_others_from_it()
    {
        Store.PutBlobs(Model);
        AgeBlobs();
        string[] blobs = [.. Model.Blobs.Select(blob => Folder.Blob(blob.Digest))];
        await ChildProcess.RunAsync("mount", "--bind", blobs[1], blobs[1]);
        try
        {
            await ChildProcess.RunAsync("mount", "-o", "remount,ro,bind", blobs[1]);
            await Watcher.SaveAsync(this, Model);
            Assert.Equal([blobs[1]], blobs.Where(blob => File.GetLastWriteTimeUtc(blob) < DateTime.UtcNow.AddHours(-1)));
            Assert.Contains(Watcher.Told, message => message.Contains(blobs[1], StringComparison.Ordinal));
        }
        finally
        {
            await ChildProcess.RunAsync("umount", blobs[1]);
        }
    }

    [NeedsFact("ln")]
    public async Task Folders_that_Ollama_removes_as_it_empties_them_are_no_error()
    {
        await Watcher.SaveAsync(this, Model);
        ModelStore store = new(Folder.Path);
        ModelName name = Assert.Single(store.Manifests.FindNames());
        Manifest manifest = store.Manifests.Read(name);
        string folder = Path.GetDirectoryName(Store.EntryPath(Entry))!;
        using CancellationTokenSource end = new();
        Task emptying = Task.Run(() =>
        {
            while (!end.IsCancellationRequested)
            {
                Directory.CreateDirectory(folder);
                Directory.Delete(Path.Combine(Folder.Path, "manifests-v2"), recursive: true);
            }
        });
        try
        {
            for (int round = 0; round < 2000; round++)
            {
                Assert.Equal(Model.Manifest, store.Manifests.Read(name).GetBytes());
                Assert.Single(store.Manifests.FindNames());
                store.Manifests.Write(manifest);
                store.Manifests.Uncover(name);
            }
        }
        finally
        {
            await end.CancelAsync();
            await emptying;
        }
    }

    [Fact]
    public async Task The_map_of_a_blob_that_is_gone_goes_and_that_of_one_that_is_there_stays()
    {
        await Watcher.SaveAsync(this, Model);
        string map = Assert.Single(Directory.GetFiles(Folder.Work, "*.blocks"));
        File.SetLastWriteTimeUtc(map, DateTime.UtcNow.AddHours(-2));
        await Watcher.SaveAsync(this, Model);
        Assert.True(File.Exists(map));

        // As ollama rm does.
        Array.ForEach(ManifestsLeft(), File.Delete);
        Directory.Delete(Folder.Blobs, recursive: true);
        await Watcher.SaveAsync(this, Old);
        Assert.False(File.Exists(map));
    }
}
