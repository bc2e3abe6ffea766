using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Store;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Core.Tests.Stores;

/// <summary>What a save writes where a later Ollama was, and what Ollama may do to the store in between.</summary>
public sealed class RunningOllamaTests : EngineTests
{
    private static readonly LoopbackModel Model = LoopbackModel.Generate("library/demo", "latest", 5 * MB);
    private static readonly LoopbackModel Old = LoopbackModel.Generate("library/demo", "latest", 1 * MB, seed: 2);

    private readonly OllamaStore _store;

    public RunningOllamaTests() => _store = new OllamaStore(Folder.Path);

    /// <summary>On Windows this name has a port, and so no place in the first tree.</summary>
    private string[] Plain => [Registry.Address.Authority, "library", "demo", "latest"];

    /// <summary>Wine says that it makes symbolic links, and does not.</summary>
    private static EntryKind Kind => OperatingSystem.IsWindows() ? EntryKind.HardLink : EntryKind.Link;

    private string[] Entry => [Registry.Address.Authority.Replace(":", "%3A", StringComparison.Ordinal), "library", "demo", "latest"];

    [Fact]
    public async Task A_tag_that_a_later_Ollama_pulled_and_a_save_updates_is_not_shadowed()
    {
        _store.PutBlobs(Old);
        _store.PutEntry(Kind, Old.Manifest, Entry);
        _store.PutManifest(OllamaStore.Anchored(Old.Manifest, Old.Manifest), Plain);

        await Watcher.SaveAsync(this, Model);

        Assert.Equal(Model.Manifest, File.ReadAllBytes(_store.ManifestPath(Plain)));
        Assert.Empty(EntriesLeft());
        AgeBlobs();
        _store.Prune();
        Assert.All(Model.Blobs, blob => Assert.True(File.Exists(Folder.Blob(blob.Digest))));
    }

    [Fact]
    public async Task The_entry_goes_also_where_every_blob_was_there_and_after_a_crash_before_that()
    {
        await Watcher.SaveAsync(this, Model);
        _store.PutEntry(Kind, Old.Manifest, Entry);
        DateTime before = new(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(_store.ManifestPath(Plain), before);

        await Watcher.SaveAsync(this, Model);

        Assert.Empty(EntriesLeft());
        Assert.Equal(before, File.GetLastWriteTimeUtc(_store.ManifestPath(Plain)));
    }

    [NeedsFact("ln")]
    public async Task Entries_in_other_letters_and_of_both_hosts_go_and_others_stay()
    {
        ModelStore store = new(Folder.Path);
        await Watcher.SaveAsync(this, Model);
        Manifest manifest = ManifestReader.Read(ModelName.Parse("demo"), "test", Model.Manifest);
        _store.PutEntry(EntryKind.HardLink, Old.Manifest, "ollama.com", "library", "demo", "latest");
        _store.PutEntry(EntryKind.Copy, Old.Manifest, "ollama.com", "library", "Demo", "Latest");
        _store.PutEntry(EntryKind.Copy, Old.Manifest, "registry.ollama.ai", "library", "demo", "latest");
        _store.PutEntry(EntryKind.Copy, Old.Manifest, "ollama.com", "library", "demo", "other");

        store.Manifests.Write(manifest);

        Assert.Equal([_store.EntryPath("ollama.com", "library", "demo", "other")], EntriesLeft());
        Assert.Equal(Model.Manifest, store.Manifests.Read(ModelName.Parse("demo")).GetBytes());
    }

    [Fact]
    public async Task Nothing_but_manifests_ever_lies_under_either_tree()
    {
        _store.PutEntry(Kind, Old.Manifest, Entry);
        _store.PutManifest(Old.Manifest, Plain);
        List<string?> seen = [];
        using FileSystemWatcher watcher = new(Folder.Path) { IncludeSubdirectories = true, EnableRaisingEvents = true };
        watcher.Created += (_, e) => Note(e.Name);
        watcher.Renamed += (_, e) => Note(e.Name);

        await Watcher.SaveAsync(this, Model);

        // What was seen of the manifest comes after all before it.
        await Until.HoldsAsync(() => Seen().Exists(name => name!.EndsWith("latest", StringComparison.Ordinal)));
        Assert.All(Seen().Where(name => name!.StartsWith("manifests", StringComparison.Ordinal)), name => Assert.EndsWith("latest", name, StringComparison.Ordinal));

        void Note(string? name)
        {
            lock (seen)
            {
                seen.Add(name);
            }
        }

        List<string?> Seen()
        {
            lock (seen)
            {
                return [.. seen];
            }
        }
    }

    [Fact]
    public void Where_a_port_has_no_place_in_the_first_tree_the_second_one_has_it()
    {
        ModelStore store = new(Folder.Path);
        StoredManifests manifests = new(store, isWindows: true);
        Manifest manifest = ManifestReader.Read(ModelName.Parse("127.0.0.1:5000/library/demo"), "test", Model.Manifest);
        Assert.False(manifests.IsWritten(manifest));

        manifests.Write(manifest);

        Assert.True(manifests.IsWritten(manifest));
        string entry = _store.EntryPath("127.0.0.1%3A5000", "library", "demo", "latest");
        Assert.Equal(entry, manifests.PathOf(manifest.Name));
        Assert.Equal(Model.Manifest, File.ReadAllBytes(entry));
        Assert.Equal(Model.Manifest, File.ReadAllBytes(Folder.Blob(OllamaStore.DigestOf(Model.Manifest))));
        Assert.False(Directory.Exists(Path.Combine(Folder.Path, "manifests")));
        Assert.Equal([manifest.Name], manifests.FindNames());
        Assert.Equal(Model.Manifest, manifests.Read(manifest.Name).GetBytes());
        Assert.Equal(ModelFault.InvalidModelName, Assert.Throws<ModelFaultException>(() => manifests.PathOf(ModelName.Parse("127.0.0.1:5000/library/nul"))).Fault);
    }

    [Fact]
    public async Task A_model_of_a_host_with_a_port_is_saved_and_read()
    {
        await Watcher.SaveAsync(this, Model);
        ModelStore store = new(Folder.Path);
        ModelName name = Assert.Single(store.Manifests.FindNames());
        Assert.Equal(Registry.Address.Authority, name.Host);
        Assert.Equal(Model.Manifest, store.Manifests.Read(name).GetBytes());
        int asked = BlobRequests.Count;
        await Watcher.SaveAsync(this, Model);
        Assert.Equal(asked, BlobRequests.Count);
    }

    [Fact]
    public async Task Of_a_list_the_manifest_that_was_chosen_is_what_is_saved_and_the_runner_is_remembered()
    {
        Registry.OfferBlob(OllamaStore.DigestOf(Old.Manifest), BlobContent.Of(Old.Manifest));
        Registry.Offer(Old);
        RegistryOptions.Runner = "mlx";

        await Watcher.SaveAsync(this, Model.WithManifest(OllamaStore.ListOf(("llamacpp", "gguf", Model.Manifest), ("mlx", "safetensors", Old.Manifest))));

        ModelStore store = new(Folder.Path);
        Manifest read = store.Manifests.Read(Assert.Single(store.Manifests.FindNames()));
        Assert.Equal(Old.Manifest, read.GetBytes());
        Assert.Equal("mlx", read.Runner);
        Assert.Contains("-Runner mlx -Repair", SaveCommand.For(store, read, "-Repair"), StringComparison.Ordinal);
        Assert.Equal(Old.Blobs.Select(blob => blob.Digest).Order(), Directory.GetFiles(Folder.Blobs).Select(path => Path.GetFileName(path).Replace('-', ':')).Order());
    }

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
                _store.Prune();
            }
        };

        await Watcher.SaveAsync(this, Model);

        Assert.True(File.Exists(small));
    }

    [Fact]
    public async Task What_was_there_unnamed_for_long_has_an_hour_from_the_manifest_on()
    {
        _store.PutBlobs(Model);
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
    public async Task One_that_is_taken_away_as_the_manifest_appears_leaves_none()
    {
        Watcher.OnTold = message =>
        {
            if (message.StartsWith("The manifest is at", StringComparison.Ordinal))
            {
                Assert.Single(ManifestsLeft());
                File.Delete(Folder.Blob(Model.Blobs[0].Digest));
            }
        };
        ModelFaultException fault = await Assert.ThrowsAsync<ModelFaultException>(() => Watcher.SaveAsync(this, Model));
        Assert.Equal(ModelFault.BlobNotFound, fault.Fault);
        Assert.Empty(ManifestsLeft());
    }

    [Fact]
    public void A_manifest_is_withdrawn_only_where_it_is_still_the_same()
    {
        StoredManifests manifests = new ModelStore(Folder.Path).Manifests;
        Manifest manifest = ManifestReader.Read(ModelName.Parse("demo"), "test", Model.Manifest);
        manifests.Write(manifest);
        _store.PutManifest(Old.Manifest, "registry.ollama.ai", "library", "demo", "latest");
        manifests.Withdraw(manifest);
        Assert.Equal(Old.Manifest, manifests.Read(manifest.Name).GetBytes());

        manifests.Write(manifest);
        manifests.Withdraw(manifest);
        Assert.Empty(ManifestsLeft());
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

    private string[] ManifestsLeft() => FilesOf("manifests");

    private string[] EntriesLeft() => FilesOf("manifests-v2");

    private string[] FilesOf(string tree) =>
        Directory.Exists(Path.Combine(Folder.Path, tree)) ? Directory.GetFiles(Path.Combine(Folder.Path, tree), "*", SearchOption.AllDirectories) : [];

    private void AgeBlobs() => Array.ForEach(Directory.GetFiles(Folder.Blobs), blob => File.SetLastWriteTimeUtc(blob, DateTime.UtcNow.AddHours(-5)));
}
