using PSModel.Core.Names;
using PSModel.Core.Store;

namespace PSModel.Core.Tests.Removal;

/// <summary>Unfinished work is removed where nobody goes on with it.</summary>
public sealed class PartialRemovalTests : RemovalTests
{
    private static readonly string[] Unfinished = ["partial", "checkpoint", "checkpoint.new", "blocks-partial", "blocks.new", "repair"];

    private IEnumerable<string?> WorkLeft => Directory.GetFiles(Folder.Work).Select(Path.GetFileName).Where(name => name != "lock").Order(StringComparer.Ordinal);

    [Fact]
    public void Bytes_checkpoints_and_maps_without_a_blob_go_and_what_is_finished_stays()
    {
        Put("one", "config1", "weights1");
        Array.ForEach(Unfinished, extension => PutWork("unfinished", extension));
        Array.ForEach(["blocks", "checkpoint"], extension => PutWork("weights1", extension));
        PutWork("gone", "blocks");

        Remover().RemovePartial(default);

        Assert.Equal([Path.GetFileName(WorkPath("weights1", "blocks"))], WorkLeft);
        Assert.Equal(["config1", "weights1"], BlobsLeft);
        Assert.Equal(Unfinished.Length + 2, Watcher.Files.Count);
        Assert.Equal(3, Watcher.Asked.Count);
    }

    [Fact]
    public void What_is_held_stays()
    {
        PutWork("held", "partial");
        using (BlobLock.TryAcquire(new ModelStore(Folder.Path), BlobDigest.Parse(Digest("held"))))
        {
            Remover().RemovePartial(default);
            Assert.True(File.Exists(WorkPath("held", "partial")));
        }

        Remover().RemovePartial(default);
        Assert.Empty(WorkLeft);
    }

    [Fact]
    public void Of_another_machine_it_goes_after_an_hour()
    {
        string other = Path.Combine(Folder.Work, Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(other);
        string old = Path.Combine(other, Path.GetFileName(WorkPath("old", "partial")));
        string young = Path.Combine(other, Path.GetFileName(WorkPath("young", "partial")));
        File.WriteAllText(old, "work");
        File.WriteAllText(young, "work");
        File.SetLastWriteTimeUtc(old, DateTime.UtcNow.AddHours(-2));

        Remover().RemovePartial(default);

        Assert.False(File.Exists(old));
        Assert.True(File.Exists(young));
    }

    [Fact]
    public void Where_a_model_came_from_stays_while_it_is_there()
    {
        Put("one", "config1");
        ModelStore store = new(Folder.Path);
        OriginFile kept = new(store, ModelName.Parse("one"));
        OriginFile useless = new(store, ModelName.Parse("two"));
        kept.Write(store.Manifests.Read(ModelName.Parse("one")).From("https://mirror.example"), isInPlace: true);
        useless.Write(store.Manifests.Read(ModelName.Parse("one")).From("https://mirror.example"), isInPlace: true);
        string temporary = Path.Combine(Folder.Work, $"manifest-{Guid.NewGuid():N}");
        File.WriteAllText(temporary, "{}");
        File.WriteAllText(Path.Combine(Folder.Work, "upload-one"), "{}");

        Remover().RemovePartial(default);
        Assert.Equal(4, WorkLeft.Count());
        Age();
        Remover().RemovePartial(default);
        Assert.Equal([Path.GetFileName(kept.FilePath)], WorkLeft);
    }
}
