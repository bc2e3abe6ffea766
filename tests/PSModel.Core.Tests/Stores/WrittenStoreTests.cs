using System.Collections.Concurrent;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Store;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Core.Tests.Stores;

/// <summary>What a save writes where a later Ollama was.</summary>
public sealed class WrittenStoreTests : SharedWithOllamaTests
{
    [Fact]
    public async Task A_tag_that_a_later_Ollama_pulled_and_a_save_updates_is_not_shadowed()
    {
        Store.PutBlobs(Old);
        Store.PutEntry(Kind, Old.Manifest, Entry);
        Store.PutManifest(OllamaStore.Anchored(Old.Manifest, Old.Manifest), Plain);

        await Watcher.SaveAsync(this, Model);

        Assert.Equal(Model.Manifest, File.ReadAllBytes(Store.ManifestPath(Plain)));
        Assert.Empty(EntriesLeft());
        AgeBlobs();
        Store.Prune();
        Assert.All(Model.Blobs, blob => Assert.True(File.Exists(Folder.Blob(blob.Digest))));
    }

    [Fact]
    public async Task The_entry_goes_also_where_every_blob_was_there_and_after_a_crash_before_that()
    {
        await Watcher.SaveAsync(this, Model);
        Store.PutEntry(Kind, Old.Manifest, Entry);
        DateTime before = new(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(Store.ManifestPath(Plain), before);

        await Watcher.SaveAsync(this, Model);

        Assert.Empty(EntriesLeft());
        Assert.Equal(before, File.GetLastWriteTimeUtc(Store.ManifestPath(Plain)));
    }

    [NeedsFact("ln")]
    public async Task Entries_in_other_letters_and_of_both_hosts_go_and_others_stay()
    {
        ModelStore store = new(Folder.Path);
        await Watcher.SaveAsync(this, Model);
        Manifest manifest = ManifestReader.Read(ModelName.Parse("demo"), "test", Model.Manifest);
        Store.PutEntry(EntryKind.HardLink, Old.Manifest, "ollama.com", "library", "demo", "latest");
        Store.PutEntry(EntryKind.Copy, Old.Manifest, "ollama.com", "library", "Demo", "Latest");
        Store.PutEntry(EntryKind.Copy, Old.Manifest, "registry.ollama.ai", "library", "demo", "latest");
        Store.PutEntry(EntryKind.Copy, Old.Manifest, "ollama.com", "library", "demo", "other");

        store.Manifests.Write(manifest);
        store.Manifests.Uncover(manifest.Name);

        Assert.Equal([Store.EntryPath("ollama.com", "library", "demo", "other")], EntriesLeft());
        Assert.Equal(Model.Manifest, store.Manifests.Read(ModelName.Parse("demo")).GetBytes());
    }

    [Fact]
    public void Both_names_of_the_default_host_lead_to_what_was_written_and_a_crash_in_between_is_mended()
    {
        // An earlier Ollama takes them for two models. To a later one they are one, and it lists the first in the order of letters.
        StoredManifests manifests = new ModelStore(Folder.Path).Manifests;
        Manifest manifest = ManifestReader.Read(ModelName.Parse("demo"), "test", Model.Manifest);
        string[] hosts = ["registry.ollama.ai", "ollama.com"];
        Store.PutManifest(Model.Manifest, hosts[0], "library", "demo", "latest");
        Store.PutManifest(Old.Manifest, hosts[1], "library", "demo", "latest");
        Store.PutManifest(Old.Manifest, hosts[1], "library", "demo", "other");
        Assert.False(manifests.IsWritten(manifest));

        IReadOnlyList<ReplacedManifest> before = manifests.Write(manifest);

        Assert.True(manifests.IsWritten(manifest));
        Assert.All(hosts, host => Assert.Equal(Model.Manifest, File.ReadAllBytes(Store.ManifestPath(host, "library", "demo", "latest"))));
        Assert.Equal(Old.Manifest, File.ReadAllBytes(Store.ManifestPath(hosts[1], "library", "demo", "other")));
        manifests.Withdraw(manifest, before);
        Assert.Equal(Old.Manifest, File.ReadAllBytes(Store.ManifestPath(hosts[1], "library", "demo", "latest")));
    }

    [NeedsFact("ln")]
    public async Task Folders_that_Ollama_removes_as_a_manifest_is_put_there_are_made_again()
    {
        await Watcher.SaveAsync(this, Model);
        StoredManifests manifests = new ModelStore(Folder.Path).Manifests;
        Manifest manifest = manifests.Read(Assert.Single(manifests.FindNames()));
        string path = Store.ManifestPath(Plain);
        int left = 0;
        using CancellationTokenSource end = new();
        Task emptying = Task.Run(() =>
        {
            while (!end.IsCancellationRequested)
            {
                if (Volatile.Read(ref left) > 0 && RemoveEmpty(Path.GetDirectoryName(path)!))
                {
                    Interlocked.Decrement(ref left);
                }
            }
        });
        try
        {
            for (int round = 0; round < 300; round++)
            {
                File.Delete(path);
                Volatile.Write(ref left, 20);
                manifests.Write(manifest);
                Assert.True(manifests.IsWritten(manifest));
            }
        }
        finally
        {
            await end.CancelAsync();
            await emptying;
        }
    }

    [Fact]
    public async Task Nothing_but_manifests_ever_lies_under_either_tree()
    {
        Store.PutEntry(Kind, Old.Manifest, Entry);
        Store.PutManifest(Old.Manifest, Plain);
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
        string entry = Store.EntryPath("127.0.0.1%3A5000", "library", "demo", "latest");
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
        Watcher.Runner = "mlx";

        await Watcher.SaveAsync(this, Model.WithManifest(OllamaStore.ListOf(("llamacpp", "gguf", Model.Manifest), ("mlx", "safetensors", Old.Manifest))));

        ModelStore store = new(Folder.Path);
        Manifest read = store.Manifests.Read(Assert.Single(store.Manifests.FindNames()));
        Assert.Equal(Old.Manifest, read.GetBytes());
        Assert.Equal("mlx", read.Runner);
        Assert.Contains("-Runner mlx -Repair", SaveCommand.For(store, read, "-Repair"), StringComparison.Ordinal);
        Assert.Equal(Old.Blobs.Select(blob => blob.Digest).Order(), Directory.GetFiles(Folder.Blobs).Select(path => Path.GetFileName(path).Replace('-', ':')).Order());
    }

    [Fact]
    public async Task What_stands_in_a_manifests_place_and_cannot_be_read_is_replaced()
    {
        await Watcher.SaveAsync(this, Model);
        string path = ManifestsLeft().Concat(EntriesLeft()).Single();
        using (FileStream longer = File.Create(path))
        {
            longer.SetLength(ManifestReader.MaximumBytes + 1L);
        }

        await Watcher.SaveAsync(this, Model);
        Assert.Equal(Model.Manifest, File.ReadAllBytes(path));
    }

    [NeedsFact("mkfifo")]
    public async Task So_is_a_pipe_which_is_not_waited_for()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Store.ManifestPath(Plain))!);
        await ChildProcess.RunAsync("mkfifo", Store.ManifestPath(Plain));
        await Watcher.SaveAsync(this, Model);
        Assert.Equal(Model.Manifest, File.ReadAllBytes(Store.ManifestPath(Plain)));
    }

    /// <summary>As Ollama does when it starts, and after each model that it removes.</summary>
    /// <returns>Whether the folder was removed.</returns>
    private bool RemoveEmpty(string folder)
    {
        bool isRemoved = false;
        for (; folder.Length > Folder.Path.Length; folder = Path.GetDirectoryName(folder)!)
        {
            try
            {
                Directory.Delete(folder);
                isRemoved = true;
            }
            catch (IOException)
            {
                // It is not empty, or gone.
                break;
            }
        }

        return isRemoved;
    }

    [NeedsFact("mount", Root = true)]
    public async Task An_entry_that_cannot_be_removed_is_told_of_before_anything_is_fetched()
    {
        Store.PutEntry(EntryKind.Copy, Old.Manifest, Entry);
        string tree = Path.Combine(Folder.Path, "manifests-v2");
        await ChildProcess.RunAsync("mount", "--bind", tree, tree);
        try
        {
            await ChildProcess.RunAsync("mount", "-o", "remount,ro,bind", tree);
            ModelFaultException fault = await Assert.ThrowsAsync<ModelFaultException>(() => Watcher.SaveAsync(this, Model));
            Assert.Equal(ModelFault.StoreNotWritable, fault.Fault);
            Assert.Empty(BlobRequests);
            Assert.Empty(ManifestsLeft());
        }
        finally
        {
            await ChildProcess.RunAsync("umount", tree);
        }
    }

    [NeedsTheory("mount", Root = true)]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task A_tree_that_is_on_another_volume_or_part_of_it_gets_its_manifest_whole_and_nothing_that_counts_as_one(int levels)
    {
        string tree = Path.Combine(Folder.Path, "manifests");
        string mount = Directory.CreateDirectory(Path.Combine([tree, .. Plain.Take(levels)])).FullName;
        await ChildProcess.RunAsync("mount", "-t", "tmpfs", "none", mount);
        try
        {
            // The folder of unfinished work is there from the first, so that all of what the second makes is seen.
            await Watcher.SaveAsync(this, Old);
            ConcurrentBag<string> made = [];
            using (FileSystemWatcher watcher = new(tree) { IncludeSubdirectories = true })
            {
                watcher.Created += (_, e) => made.Add(Path.GetRelativePath(tree, e.FullPath));
                watcher.EnableRaisingEvents = true;
                await Watcher.SaveAsync(this, Model);
                await Until.HoldsAsync(() => made.Any(path => Path.GetFileName(path).StartsWith("manifest-", StringComparison.Ordinal)));
            }

            Assert.DoesNotContain(made, path => path.Split('/').Length == Plain.Length && path.Contains("manifest-", StringComparison.Ordinal));
            Assert.Equal([Store.ManifestPath(Plain)], ManifestsLeft());
            Assert.Equal(Model.Manifest, File.ReadAllBytes(Store.ManifestPath(Plain)));
        }
        finally
        {
            await ChildProcess.RunAsync("umount", mount);
        }
    }

    [NeedsFact("ln")]
    public async Task A_model_that_is_there_in_other_letters_gets_the_new_manifest_there_as_well()
    {
        string[] other = [Plain[0], "Library", "Demo", "Latest"];
        Store.PutBlobs(Old);
        Store.PutManifest(Old.Manifest, other);
        await Watcher.SaveAsync(this, Model);
        Assert.Equal(Model.Manifest, File.ReadAllBytes(Store.ManifestPath(other)));
        Assert.Equal(Model.Manifest, File.ReadAllBytes(Store.ManifestPath(Plain)));
        Assert.Equal(Registry.Address.GetLeftPart(UriPartial.Authority), Assert.Single(new ModelStore(Folder.Path).Manifests.ReadAll()).Origin);
    }

    [NeedsFact("mount", Root = true)]
    public async Task An_entry_that_cannot_be_removed_is_told_of_with_what_comes_of_it()
    {
        Store.PutBlobs(Old);
        Store.PutEntry(EntryKind.Copy, Old.Manifest, Entry);
        string entry = Store.EntryPath(Entry);
        await ChildProcess.RunAsync("mount", "--bind", entry, entry);
        try
        {
            ModelFaultException fault = await Assert.ThrowsAsync<ModelFaultException>(() => Watcher.SaveAsync(this, Model));
            Assert.Contains($"reads '{entry}' first", fault.Facts.Remedy, StringComparison.Ordinal);
        }
        finally
        {
            await ChildProcess.RunAsync("umount", entry);
        }

        await new TransferWatcher().SaveAsync(this, Model);
        Assert.Empty(EntriesLeft());
    }
}
