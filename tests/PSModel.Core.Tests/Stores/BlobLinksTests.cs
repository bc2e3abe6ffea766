using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Store;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Core.Tests.Stores;

/// <summary>Blobs that another program removes in the moments in which their manifest is written.</summary>
public sealed class BlobLinksTests() : SharedWithOllamaTests(TemporaryFolder.WithLinks)
{
    [Fact]
    public async Task One_that_is_taken_away_as_the_manifest_appears_is_put_back()
    {
        string blob = Folder.Blob(Model.Blobs[0].Digest);
        InBetween(() => File.Delete(blob));
        await Watcher.SaveAsync(this, Model);
        Assert.Equal(Model.Blobs[0].Digest, Folder.DigestOf(Model.Blobs[0].Digest));
        Assert.Contains(Model.Blobs[0].Digest, Assert.Single(Watcher.Warnings), StringComparison.Ordinal);
        Assert.Equal(Model.Manifest, File.ReadAllBytes(Assert.Single(ManifestsLeft())));
        AssertNoLinks();
    }

    [Fact]
    public async Task So_it_is_with_one_that_was_about_to_be_removed_before_the_manifest_appeared()
    {
        // Of an earlier call, whose manifest another program has removed just now.
        Store.PutBlobs(Model);
        Watcher.OnTold = message =>
        {
            if (message.StartsWith("No other manifest", StringComparison.Ordinal))
            {
                Array.ForEach(Directory.GetFiles(Folder.Blobs), File.Delete);
            }
        };
        await Watcher.SaveAsync(this, Model);
        Assert.Single(Watcher.Warnings);
        AssertSaved();
        AssertNoLinks();
    }

    [Fact]
    public async Task What_rm_and_pull_do_in_that_time_is_found_and_the_model_is_saved()
    {
        Store.PutBlobs(Model);
        Watcher.OnTold = message =>
        {
            if (message.StartsWith("No other manifest", StringComparison.Ordinal))
            {
                Watcher.OnTold = null;
                Array.ForEach(ManifestsLeft(), File.Delete);
                Array.ForEach(Directory.GetFiles(Folder.Blobs), File.Delete);
                Store.PutBlobs(Old);
                Store.PutEntry(Kind, Old.Manifest, Entry);
            }
        };
        await Watcher.SaveAsync(this, Model);
        AssertSaved();
        Assert.Empty(EntriesLeft());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_another_program_removes_for_being_wrong_does_not_come_back_and_the_old_model_stays(bool isPlain)
    {
        PutOld(isPlain);

        // As a pull of Ollama that has its bytes wrong, and looks at them once the file is in its place.
        Store.PutBlobs(Model);
        string wrong = Folder.Blob(Model.Blobs[0].Digest);
        File.WriteAllBytes(wrong, new byte[Model.Blobs[0].Length]);
        Watcher.OnTold = message =>
        {
            if (message.StartsWith("No other manifest", StringComparison.Ordinal))
            {
                File.Delete(wrong);
            }
        };
        ModelFaultException fault = await Assert.ThrowsAsync<ModelFaultException>(() => Watcher.SaveAsync(this, Model));
        Assert.Equal(ModelFault.BlobNotFound, fault.Fault);
        Assert.False(File.Exists(wrong));
        AssertNoLinks();
        ModelStore store = new(Folder.Path);
        Assert.Equal(Old.Manifest, store.Manifests.Read(Assert.Single(store.Manifests.FindNames())).GetBytes());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_is_fetched_over_something_is_waited_for_too(bool isRepair)
    {
        Store.PutBlobs(Model);
        (Options.Force, Options.Repair) = (!isRepair, isRepair);
        await Watcher.SaveAsync(this, Model);
        Assert.Contains(Watcher.Told, message => message.StartsWith("No other manifest", StringComparison.Ordinal));
    }

    [NeedsFact("ln")]
    public async Task A_work_folder_that_cannot_be_read_ends_no_call_for_which_it_is_not_needed()
    {
        await Watcher.SaveAsync(this, Model);
        Directory.Delete(Folder.Work, recursive: true);
        File.CreateSymbolicLink(Folder.Work, Folder.Work);
        await Watcher.SaveAsync(this, Model);
    }

    [Fact]
    public async Task Nothing_is_waited_for_where_other_manifests_name_what_was_there()
    {
        LoopbackModel other = LoopbackModel.WithWeights("library/other", "latest", Model.Blobs[0]);
        await Watcher.SaveAsync(this, other);
        await Watcher.SaveAsync(this, Model);
        Assert.DoesNotContain(Watcher.Told, message => message.StartsWith("No other manifest", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_a_copy_of_the_manifest_names_is_there_whenever_it_is_made()
    {
        // In one moment another program removes the blobs, and a second one copies the manifest that was written.
        InBetween(() =>
        {
            Array.ForEach(Directory.GetFiles(Folder.Blobs), File.Delete);
            Store.PutManifest(Model.Manifest, "registry.ollama.ai", "library", "copied", "latest");
        });
        await Watcher.SaveAsync(this, Model);
        Assert.Equal(2, ManifestsLeft().Length);
        Assert.All(Model.Blobs, blob => Assert.Equal(blob.Digest, Folder.DigestOf(blob.Digest)));
    }

    [Fact]
    public async Task Where_blobs_cannot_be_linked_the_manifest_is_withdrawn()
    {
        InBetween(TakeAway);
        ModelFaultException fault = await Assert.ThrowsAsync<ModelFaultException>(() => Watcher.SaveAsync(this, Model));
        Assert.Equal(ModelFault.BlobNotFound, fault.Fault);
        Assert.Contains("same command again", fault.Facts.Remedy, StringComparison.Ordinal);
        Assert.Empty(ManifestsLeft());
    }

    [Fact]
    public async Task What_a_killed_call_had_linked_goes_and_comes_back_where_a_manifest_names_it()
    {
        await Watcher.SaveAsync(this, Model);
        ModelStore store = new(Folder.Path);
        string LinkOf(string digest, string id = "0123456789abcdef0123456789abcdef") => Path.Combine(Folder.Work, $"{Path.GetFileName(Folder.Blob(digest))}.{id}.kept");
        byte[] unnamed = [1, 2, 3];
        foreach (string digest in Model.Blobs.Select(blob => blob.Digest))
        {
            File.Move(Folder.Blob(digest), LinkOf(digest));
        }

        string wrong = Model.Blobs[^1].Digest;
        File.WriteAllBytes(LinkOf(wrong), unnamed);
        File.WriteAllBytes(LinkOf(OllamaStore.DigestOf(unnamed)), unnamed);

        // Another call is at work there.
        string inUse = LinkOf(Model.Blobs[0].Digest, "inuse");
        File.WriteAllBytes(inUse, unnamed);
        using BlobLock? held = BlobLock.TryAcquire(store, "inuse");
        int requests = Registry.Requests.Count;

        await Watcher.SaveAsync(this, Model);

        Assert.All(Model.Blobs, blob => Assert.Equal(blob.Digest, Folder.DigestOf(blob.Digest)));
        Assert.Equal([wrong], Registry.Requests.Skip(requests).Where(request => request.IsBlob).Select(request => request.Path[^wrong.Length..]).Distinct());
        Assert.Equal(Model.Blobs.Count, Directory.GetFiles(Folder.Blobs).Length);
        Assert.Equal([inUse], Links());
    }

    [Fact]
    public async Task So_it_is_where_a_later_Ollama_reads_another_manifest_first()
    {
        await Watcher.SaveAsync(this, Model);
        Store.PutBlobs(Old);
        Store.PutEntry(EntryKind.Copy, Old.Manifest, Entry);
        string blob = Folder.Blob(Model.Blobs[0].Digest);
        File.Move(blob, Path.Combine(Folder.Work, $"{Path.GetFileName(blob)}.0123456789abcdef0123456789abcdef.kept"));
        BlobLinks.ClearAll(new ModelStore(Folder.Path), _ => { }, CancellationToken.None);
        Assert.Equal(Model.Blobs[0].Digest, Folder.DigestOf(Model.Blobs[0].Digest));
        AssertNoLinks();
    }

    [Fact]
    public async Task What_no_manifest_names_stays_gone_whatever_else_lies_among_the_manifests()
    {
        await Watcher.SaveAsync(this, Model);
        byte[] unnamed = [1, 2, 3];
        File.WriteAllBytes(Path.Combine(Folder.Work, $"{Path.GetFileName(Folder.Blob(OllamaStore.DigestOf(unnamed)))}.0123456789abcdef0123456789abcdef.kept"), unnamed);
        File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(Folder.Path, "manifests", "host", "namespace", "model")).FullName, ".DS_Store"), "something");
        BlobLinks.ClearAll(new ModelStore(Folder.Path), _ => { }, CancellationToken.None);
        Assert.Equal(Model.Blobs.Count, Directory.GetFiles(Folder.Blobs).Length);
        AssertNoLinks();
    }

    [Fact]
    public async Task What_another_program_has_brought_back_by_itself_is_there()
    {
        // One is wrong and is not put back, and at that moment a pull brings all of them.
        Store.PutBlobs(Model);
        BlobDigest first = ManifestReader.Read(ModelName.Parse("demo"), "test", Model.Manifest).Blobs[0].Digest;
        File.WriteAllBytes(Folder.Blob(first.ToString()), new byte[new FileInfo(Folder.Blob(first.ToString())).Length]);
        Watcher.OnTold = message =>
        {
            if (message.StartsWith("No other manifest", StringComparison.Ordinal))
            {
                Array.ForEach(Directory.GetFiles(Folder.Blobs), File.Delete);
            }
            else if (message.Contains("are wrong", StringComparison.Ordinal))
            {
                Store.PutBlobs(Model);
            }
        };
        await Watcher.SaveAsync(this, Model);
        AssertSaved();
        AssertNoLinks();
    }

    [Fact]
    public async Task Where_the_old_model_came_from_is_known_then_as_well()
    {
        await Watcher.SaveAsync(this, Old);
        InBetween(TakeAway);
        await Assert.ThrowsAsync<ModelFaultException>(() => Watcher.SaveAsync(this, Model));

        Manifest read = new ModelStore(Folder.Path).Manifests.ReadAll().Single();
        Assert.Equal(Old.Manifest, read.GetBytes());
        Assert.Equal(Registry.Address.GetLeftPart(UriPartial.Authority), read.Origin);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_old_model_stays_then_in_whichever_tree_it_was(bool isPlain)
    {
        PutOld(isPlain);

        InBetween(TakeAway);
        await Assert.ThrowsAsync<ModelFaultException>(() => Watcher.SaveAsync(this, Model));

        ModelStore store = new(Folder.Path);
        Manifest read = store.Manifests.Read(Assert.Single(store.Manifests.FindNames()));
        Assert.Equal(Old.Manifest, read.GetBytes());
    }

    [Fact]
    public async Task What_rm_removes_in_between_comes_back_and_is_told_of()
    {
        InBetween(() =>
        {
            Array.ForEach(ManifestsLeft(), File.Delete);
            Array.ForEach(Directory.GetFiles(Folder.Blobs), File.Delete);
        });
        await Watcher.SaveAsync(this, Model);
        Assert.Contains("Another program removed", Assert.Single(Watcher.Warnings), StringComparison.Ordinal);
        Assert.All(Model.Blobs, blob => Assert.Equal(blob.Digest, Folder.DigestOf(blob.Digest)));
        Assert.Single(ManifestsLeft());
    }

    private void AssertSaved()
    {
        Assert.All(Model.Blobs, blob => Assert.Equal(blob.Digest, Folder.DigestOf(blob.Digest)));
        Assert.Equal(Model.Manifest, File.ReadAllBytes(Assert.Single(ManifestsLeft())));
    }

    private void PutOld(bool isPlain)
    {
        Store.PutBlobs(Old);
        if (isPlain && !OperatingSystem.IsWindows())
        {
            Store.PutManifest(Old.Manifest, Plain);
        }
        else
        {
            Store.PutEntry(Kind, Old.Manifest, Entry);
        }
    }

    /// <summary>As where there are no hard links: what was linked goes as well.</summary>
    private void TakeAway()
    {
        string blob = Folder.Blob(Model.Blobs[0].Digest);
        File.Delete(blob);
        Array.ForEach(Directory.GetFiles(Folder.Work, $"{Path.GetFileName(blob)}.*.kept"), File.Delete);
    }
}
