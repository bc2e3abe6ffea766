using PSModel.Core.Faults;
using PSModel.Core.Names;
using PSModel.Core.Removal;
using PSModel.Core.Store;
using PSModel.TestParts;

namespace PSModel.Core.Tests.Removal;

/// <summary>A model is removed, and nothing that another one needs.</summary>
public sealed class ModelRemovalTests : RemovalTests
{
    [Fact]
    public void The_model_is_gone_with_its_own_blobs_and_its_empty_folders()
    {
        Put("one", "config1", "weights1", "licence");
        Put("two", "config2", "weights2", "licence");

        Remove("one");

        Assert.Equal(["config2", "licence", "weights2"], BlobsLeft);
        Assert.Equal([Path.Combine("library", "two", "latest"), Path.Combine("library", "two"), "library"], FilesOf(Path.Combine("manifests", "registry.ollama.ai")).Select(path => Path.GetRelativePath(Store.ManifestPath("registry.ollama.ai"), path)).OrderByDescending(path => path.Length));
        Assert.Equal(["Blob", "Blob", "Manifest"], Watcher.Kinds.Order(StringComparer.Ordinal));
        RemovalStep asked = Assert.Single(Watcher.Asked);
        Assert.Equal(("one:latest", 1), (asked.Name!.Shortest, asked.Shared));
        Assert.Equal(Watcher.Files.Sum(file => file.Size), asked.Bytes);

        Remove("two");
        Assert.Empty(BlobsLeft);
        Assert.Empty(FilesOf("manifests"));
        Assert.True(Directory.Exists(Folder.Blobs));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Both_trees_and_the_manifest_among_the_blobs_are_cleared(EntryKind kind)
    {
        Put("one", "config1", "weights1", "licence");
        Put("two", "config2", "weights2", "licence");
        Store.PutEntry(kind, Manifest("config1", "weights1", "licence"), EntryParts("one"));

        Remove("ollama.com/library/ONE");

        Assert.Equal(["config2", "licence", "weights2"], BlobsLeft);
        Assert.Empty(FilesOf("manifests-v2"));
        Assert.False(File.Exists(Store.ManifestPath(Parts("one"))));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void What_the_later_tree_alone_names_stays(EntryKind kind)
    {
        Put("one", "config1", "weights1", "shared");
        Array.ForEach(["config2", "shared"], text => PutBlob(text));
        Store.PutEntry(kind, Manifest("config2", "shared"), EntryParts("two"));

        Remove("one");

        Assert.Equal(["config2", "shared"], BlobsLeft.Where(text => !text.StartsWith("sha256", StringComparison.Ordinal)));
        Assert.Equal(Manifest("config2", "shared"), new ModelStore(Folder.Path).Manifests.Read(ModelName.Parse("two")).GetBytes());
    }

    [Fact]
    public void What_a_list_leads_to_stays_and_goes_with_it()
    {
        byte[] first = Manifest("config1", "gguf");
        byte[] second = Manifest("config1", "safetensors");
        byte[] list = OllamaStore.ListOf(("llamacpp", "gguf", first), ("mlx", "safetensors", second));
        Array.ForEach(["gguf", "safetensors"], text => PutBlob(text));
        Store.PutBlob(first);
        Store.PutBlob(second);
        Store.PutEntry(EntryKind.Copy, list, EntryParts("list"));
        Put("one", "config1", "gguf", "own");

        Remove("one");
        Assert.Equal(["config1", "gguf", "safetensors"], BlobsLeft.Where(text => !text.StartsWith("sha256", StringComparison.Ordinal)));

        Remove("list");
        Assert.Empty(BlobsLeft);
    }

    [Fact]
    public void What_an_anchor_keeps_and_what_Ollama_keeps_for_itself_stays()
    {
        byte[] child = Manifest("config1", "converted");
        Array.ForEach(["converted", "remembered"], text => PutBlob(text));
        Store.PutBlob(child);
        Put("anchored", "config0", "weights0");
        Store.PutManifest(OllamaStore.Anchored(Manifest("config0", "weights0"), child), Parts("anchored"));
        Store.PutManifest(Manifest("config1", "remembered"), "registry.ollama.ai", "library", "llamacpp", new string('a', 64));
        Put("one", "config1", "converted", "remembered", "own");

        Remove("one");

        Assert.Equal(["config0", "config1", "converted", "remembered", "weights0"], BlobsLeft.Where(text => !text.StartsWith("sha256", StringComparison.Ordinal)));
        Assert.True(File.Exists(Folder.Blob(OllamaStore.DigestOf(child))));
        ModelFaultException fault = Assert.Throws<ModelFaultException>(() => Remove($"llamacpp:{new string('a', 64)}"));
        Assert.Equal(ModelFault.ManifestNotFound, fault.Fault);
    }

    [Fact]
    public void What_a_manifest_names_that_came_among_the_blobs_just_now_stays()
    {
        Put("one", "config1", "shared");
        Store.PutBlob(Manifest("config2", "shared"));

        Remove("one");

        Assert.Equal(["shared"], BlobsLeft.Where(text => !text.StartsWith("sha256", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("no JSON")]
    [InlineData("[]")]
    public void Where_another_manifest_cannot_be_read_nothing_is_changed(string text)
    {
        Put("one", "config1", "weights1");
        Store.PutManifest(Bytes(text), Parts("broken"));
        SortedDictionary<string, string> before = Folder.Snapshot();

        ModelFaultException fault = Assert.Throws<ModelFaultException>(() => Remove("one"));

        Assert.Equal((ModelFault.ManifestInvalid, Store.ManifestPath(Parts("broken"))), (fault.Fault, fault.Facts.Path));
        Assert.Contains("Remove-ModelBlob broken:latest -StorePath", fault.Facts.Remedy, StringComparison.Ordinal);
        Assert.Equal(before, Folder.Snapshot());
        Assert.Empty(Watcher.Asked);
    }

    [Fact]
    public void So_is_it_where_what_a_list_leads_to_has_other_bytes()
    {
        byte[] child = Manifest("config1", "weights1");
        Put("one", "config1", "weights1");
        Store.PutEntry(EntryKind.Copy, OllamaStore.ListOf(("llamacpp", "gguf", child)), EntryParts("list"));
        string damaged = Store.PutBlob(child);
        File.WriteAllBytes(damaged, Manifest("config3"));

        Assert.Equal(damaged, Assert.Throws<ModelFaultException>(() => Remove("one")).Facts.Path);
        Assert.True(File.Exists(Store.ManifestPath(Parts("one"))));
    }

    [Fact]
    public void A_model_whose_own_manifest_cannot_be_read_is_removed_without_a_blob()
    {
        Put("one", "config1", "weights1");
        Store.PutManifest(Bytes("{"), Parts("broken"));

        Remove("broken");

        Assert.Equal(["config1", "weights1"], BlobsLeft);
        Assert.False(File.Exists(Store.ManifestPath(Parts("broken"))));
        Assert.Contains("Remove-ModelBlob -Unused", Assert.Single(Watcher.Warnings), StringComparison.Ordinal);
        Remove("one");
        Assert.Empty(BlobsLeft);
    }

    [Fact]
    public void A_name_with_a_digest_is_that_manifest_alone()
    {
        Put("one", "config1");
        SortedDictionary<string, string> before = Folder.Snapshot();
        Assert.Equal(ModelFault.ManifestNotFound, Assert.Throws<ModelFaultException>(() => Remove($"one@{Digest("other")}")).Fault);
        Assert.Equal(before, Folder.Snapshot());
        Remove($"one@{OllamaStore.DigestOf(Manifest("config1"))}");
        Assert.Empty(BlobsLeft);
    }

    [Fact]
    public void What_is_remembered_of_it_goes_and_of_others_stays()
    {
        Put("one", "config1", "weights1", "shared");
        Put("two", "config2", "shared");
        Array.ForEach(["blocks", "partial", "checkpoint", "blocks-partial"], extension => PutWork("weights1", extension));
        Array.ForEach(["blocks", "partial"], extension => PutWork("shared", extension));
        ModelStore store = new(Folder.Path);
        foreach (string name in new[] { "one", "two" })
        {
            new OriginFile(store, ModelName.Parse(name)).Write(store.Manifests.Read(ModelName.Parse(name)).From("https://mirror.example"), isInPlace: true);
        }

        Remove("one");

        Assert.Equal(
            new[] { "lock", Path.GetFileName(new OriginFile(store, ModelName.Parse("two")).FilePath), Path.GetFileName(WorkPath("shared", "blocks")), Path.GetFileName(WorkPath("shared", "partial")) }.Order(StringComparer.Ordinal),
            Directory.GetFiles(Folder.Work).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(["Blob", "Blob", "BlockMap", "Manifest", "Origin", "Partial", "Partial", "Partial"], Watcher.Kinds.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_foreign_file_keeps_its_folder_and_a_folder_in_place_of_a_blob_stays()
    {
        Put("one", "config1", "weights1");
        string foreign = Path.Combine(Store.ManifestPath("registry.ollama.ai", "library"), "notes.txt");
        File.WriteAllText(foreign, "mine");
        File.Delete(PutBlob("weights1"));
        Directory.CreateDirectory(Folder.Blob(Digest("weights1")));

        Remove("one");

        Assert.Equal("mine", File.ReadAllText(foreign));
        Assert.False(Directory.Exists(Store.ManifestPath("registry.ollama.ai", "library", "one")));
        Assert.True(Directory.Exists(Folder.Blob(Digest("weights1"))));
        Assert.Contains("a folder, and no file", Assert.Single(Watcher.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void A_blob_that_is_being_fetched_again_stays()
    {
        Put("one", "config1", "weights1");
        using (BlobLock.TryAcquire(new ModelStore(Folder.Path), BlobDigest.Parse(Digest("weights1"))))
        {
            Remove("one");
        }

        Assert.Equal(["weights1"], BlobsLeft);
    }

    [Fact]
    public void A_blob_that_a_program_reads_goes_but_on_Windows_where_it_stays_and_that_is_an_error()
    {
        Put("one", "config1", "weights1");
        using (new FileStream(Folder.Blob(Digest("weights1")), FileMode.Open, FileAccess.Read, FileShare.Read))
        {
            Remove("one");
        }

        if (!OperatingSystem.IsWindows())
        {
            Assert.Empty(BlobsLeft);
            return;
        }

        Assert.Equal(["weights1"], BlobsLeft);
        (string target, ModelFaultException fault) = Assert.Single(Watcher.Faults);
        Assert.Equal((Digest("weights1"), ModelFault.BlobInUse), (target, fault.Fault));
        Assert.Contains("Remove-ModelBlob -Unused", fault.Facts.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void A_dry_run_changes_nothing_and_counts_what_several_would_free()
    {
        Put("one", "config1", "shared");
        Put("two", "config2", "shared");
        SortedDictionary<string, string> before = Folder.Snapshot();
        ModelRemover remover = Remover(isDryRun: true);
        remover.RemoveModel(ModelName.Parse("one"), default);
        remover.RemoveModel(ModelName.Parse("two"), default);
        Assert.Equal(before, Folder.Snapshot());
        Assert.False(Directory.Exists(Folder.Work));
        Assert.Equal([1, 0], Watcher.Asked.Select(step => step.Shared));
        Assert.Equal(["config1", "config2", "shared"], Watcher.Asked.SelectMany(step => step.Files).Where(file => file.Kind == RemovedKind.Blob).Select(file => File.ReadAllText(file.Path)).Order(StringComparer.Ordinal));
    }
}
