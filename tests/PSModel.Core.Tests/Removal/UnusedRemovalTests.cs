using CsCheck;
using PSModel.Core.Faults;
using PSModel.Core.Names;
using PSModel.Core.Removal;
using PSModel.Core.Store;
using PSModel.TestParts;

namespace PSModel.Core.Tests.Removal;

/// <summary>Blobs that no manifest names are removed, once they are of use to nobody.</summary>
public sealed class UnusedRemovalTests : RemovalTests
{
    [Fact]
    public void What_no_manifest_names_for_an_hour_goes_and_foreign_files_stay()
    {
        Put("one", "config1", "weights1");
        string foreign = Path.Combine(Folder.Blobs, "sha256-notes");
        File.WriteAllText(foreign, "mine");
        PutBlob("old");
        PutWork("old", "blocks");
        Age();
        PutBlob("young");

        Remover().RemoveUnused(isYoungToo: false, default);

        Assert.Equal(["config1", "mine", "weights1", "young"], BlobsLeft);
        Assert.Equal(["lock"], Directory.GetFiles(Folder.Work).Select(Path.GetFileName));
        Assert.Contains(Watcher.Told, message => message.StartsWith("1 blob of 5 B that no manifest names stays", StringComparison.Ordinal));

        Remover().RemoveUnused(isYoungToo: true, default);
        Assert.Equal(["config1", "mine", "weights1"], BlobsLeft);
    }

    [Fact]
    public void What_is_being_fetched_stays_whatever_its_age()
    {
        PutBlob("fetched");
        Age();
        using (BlobLock.TryAcquire(new ModelStore(Folder.Path), BlobDigest.Parse(Digest("fetched"))))
        {
            Remover().RemoveUnused(isYoungToo: true, default);
        }

        Assert.Equal(["fetched"], BlobsLeft);
    }

    [Fact]
    public void What_was_written_again_before_it_was_set_aside_stays()
    {
        string path = PutBlob("touched");
        Age();
        Watcher.OnAsked = () => File.SetLastWriteTimeUtc(path, DateTime.UtcNow);
        Remover().RemoveUnused(isYoungToo: false, default);
        Assert.Equal(["touched"], BlobsLeft);
    }

    [Fact]
    public void A_young_manifest_among_the_blobs_keeps_old_ones_and_an_old_one_does_not()
    {
        PutBlob("weights");
        Age();
        string manifest = Store.PutBlob(Manifest("config", "weights"));
        Remover().RemoveUnused(isYoungToo: false, default);
        Assert.True(File.Exists(Folder.Blob(Digest("weights"))));
        File.SetLastWriteTimeUtc(manifest, DateTime.UtcNow.AddHours(-2));
        Remover().RemoveUnused(isYoungToo: false, default);
        Assert.Empty(BlobsLeft);
    }

    [Fact]
    public void Where_a_manifest_cannot_be_read_nothing_goes()
    {
        PutBlob("unused");
        Store.PutManifest(Bytes("{"), "registry.ollama.ai", "library", "one", ".DS_Store");
        Age();
        ModelFaultException fault = Assert.Throws<ModelFaultException>(() => Remover().RemoveUnused(isYoungToo: true, default));
        Assert.Equal(ModelFault.ManifestInvalid, fault.Fault);
        Assert.Contains("move it out", fault.Facts.Remedy, StringComparison.Ordinal);
        Assert.Equal(["unused"], BlobsLeft);
    }

    [NeedsFact("ln")]
    public void Where_a_part_of_a_tree_lies_on_a_disk_that_is_not_mounted_nothing_goes()
    {
        PutBlob("weights");
        Directory.CreateDirectory(Path.Combine(Folder.Path, "manifests"));
        string link = Path.Combine(Folder.Path, "manifests", "registry.ollama.ai");
        Directory.CreateSymbolicLink(link, "/nowhere/at/all");
        Assert.Equal(link, Assert.Throws<ModelFaultException>(() => Remover().RemoveUnused(isYoungToo: true, default)).Facts.Path);
        Directory.Delete(Path.Combine(Folder.Path, "manifests"), recursive: true);
        Directory.CreateSymbolicLink(Path.Combine(Folder.Path, "manifests"), "/nowhere/at/all");
        Assert.Throws<ModelFaultException>(() => Remover().RemoveUnused(isYoungToo: true, default));
        Assert.Equal(["weights"], BlobsLeft);
    }

    [NeedsFact("ln")]
    public void A_blob_that_is_a_link_to_another_disk_stays()
    {
        Directory.CreateDirectory(Folder.Blobs);
        string target = Path.Combine(Folder.Path, "elsewhere");
        File.WriteAllText(target, "big");
        File.CreateSymbolicLink(Folder.Blob(Digest("big")), target);
        Remover().RemoveUnused(isYoungToo: true, default);
        Assert.True(File.Exists(Folder.Blob(Digest("big"))));
        Assert.Contains("a link, and no file", Assert.Single(Watcher.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_store_that_is_told()
    {
        Assert.Equal(ModelFault.StoreNotFound, Assert.Throws<ModelFaultException>(() => Remover().RemoveUnused(isYoungToo: false, default)).Fault);
        Directory.Delete(Folder.Path);
        Assert.Equal(ModelFault.StoreNotFound, Assert.Throws<ModelFaultException>(() => Remover().RemovePartial(default)).Fault);
        Directory.CreateDirectory(Folder.Path);
    }

    [Fact]
    public void A_blob_that_a_killed_call_had_set_aside_is_put_back_first()
    {
        Put("one", "config1", "weights1");
        Directory.CreateDirectory(Folder.Work);
        File.Move(Folder.Blob(Digest("weights1")), WorkPath("weights1", "aside"));
        PutWork("config1", "aside", "useless");

        Remover().RemoveUnused(isYoungToo: true, default);

        Assert.Equal(["config1", "weights1"], BlobsLeft);
        Assert.Equal(["lock"], Directory.GetFiles(Folder.Work).Select(Path.GetFileName));
    }

    /// <summary>Any models of any of the blobs, in any of the trees; then any removals.</summary>
    [Fact]
    public void After_any_removals_every_model_has_its_blobs_and_nothing_else_is_left()
    {
        Gen<(int Tree, int[] Blobs)> model = Gen.Select(Gen.Int[0, 3], Gen.Int[0, 11].Array[1, 5]);
        Gen.Select(model.Array[1, 8], Gen.Int[0, 7].Array[0, 10], Gen.Bool).Sample(
            (models, removals, hasUnused) =>
            {
                using UnusedRemovalTests tests = new();
                tests.Play(models, removals, hasUnused);
            },
            iter: 100,
            threads: 1);
    }

    private void Play((int Tree, int[] Blobs)[] models, int[] removals, bool hasUnused)
    {
        Dictionary<int, string[]> left = [];
        for (int i = 0; i < models.Length; i++)
        {
            string[] texts = [.. models[i].Blobs.Select(blob => $"blob{blob}")];
            left[i] = [.. texts];
            Array.ForEach(texts, text => PutBlob(text));
            Put(models[i].Tree, $"model{i}", Manifest(texts));
        }

        PutBlob("unused");
        Age();
        foreach (int removed in removals)
        {
            if (left.Remove(removed))
            {
                Remove($"model{removed}");
            }
            else
            {
                Assert.Equal(ModelFault.ManifestNotFound, Assert.Throws<ModelFaultException>(() => Remove($"model{removed}")).Fault);
            }
        }

        if (hasUnused)
        {
            Remover().RemoveUnused(isYoungToo: false, default);
        }

        Assert.Equal(
            left.Values.SelectMany(texts => texts).Concat(hasUnused ? [] : ["unused"]).Distinct().Order(StringComparer.Ordinal),
            BlobsLeft.Where(text => !text.StartsWith("sha256", StringComparison.Ordinal)));
        StoredManifests manifests = new ModelStore(Folder.Path).Manifests;
        Assert.Equal(left.Keys.Select(i => $"model{i}:latest"), manifests.FindNames().Select(name => name.Shortest));
        Assert.All(left, model => Assert.Equal(Manifest(model.Value), manifests.Read(ModelName.Parse($"model{model.Key}")).GetServedBytes()));
        Assert.Empty(Watcher.Faults);
    }

    /// <summary>As one of Ollama's versions leaves it.</summary>
    private void Put(int tree, string model, byte[] manifest)
    {
        byte[] list = OllamaStore.ListOf(("llamacpp", "gguf", manifest));
        switch (tree)
        {
            case 0:
                Store.PutManifest(manifest, Parts(model));
                break;
            case 1:
                Store.PutEntry(EntryKind.Copy, manifest, EntryParts(model));
                break;
            case 2:
                Store.PutEntry(EntryKind.HardLink, manifest, EntryParts(model));
                Store.PutManifest(OllamaStore.Anchored(manifest, manifest), Parts(model));
                break;
            default:
                Store.PutBlob(manifest);
                Store.PutEntry(EntryKind.Copy, list, EntryParts(model));
                Store.PutManifest(OllamaStore.Anchored(manifest, manifest, list), Parts(model));
                break;
        }
    }
}
