using PSModel.Core.Faults;
using PSModel.Core.Names;
using PSModel.Core.Removal;

namespace PSModel.Core.Tests.Removal;

/// <summary>What others do while a model's blobs are set aside, or while leave is asked for.</summary>
public sealed class LastMomentTests : RemovalTests
{
    [Fact]
    public void What_a_manifest_names_that_was_written_at_the_last_moment_is_put_back()
    {
        Put("one", "config1", "weights1");
        Watcher.OnAside = () =>
        {
            Assert.Empty(BlobsLeft);
            Store.PutManifest(Manifest("config2", "weights1"), Parts("two"));
            PutBlob("config2");
        };

        Remove("one");

        Assert.Null(Watcher.OnAside);
        Assert.Equal(["config2", "weights1"], BlobsLeft);
        Assert.Equal(["lock"], Directory.GetFiles(Folder.Work).Select(Path.GetFileName));
    }

    [Fact]
    public void It_is_not_put_over_what_another_program_has_put_there()
    {
        Put("one", "config1", "weights1");
        string written = Folder.Blob(Digest("weights1"));
        Watcher.OnAside = () =>
        {
            Store.PutManifest(Manifest("config2", "weights1"), Parts("two"));
            PutBlob("config2");
            File.WriteAllText(written, "another");
        };

        Remove("one");

        Assert.Equal("another", File.ReadAllText(written));
        Assert.Equal(["lock"], Directory.GetFiles(Folder.Work).Select(Path.GetFileName));
    }

    [Fact]
    public void A_manifest_that_cannot_be_read_at_the_last_moment_has_all_put_back()
    {
        Put("one", "config1", "weights1");
        Watcher.OnAside = () => Store.PutManifest(Bytes("{"), Parts("broken"));
        Assert.Equal(ModelFault.ManifestInvalid, Assert.Throws<ModelFaultException>(() => Remove("one")).Fault);
        Assert.Equal(["config1", "weights1"], BlobsLeft);
    }

    [Fact]
    public void A_stop_has_all_put_back()
    {
        Put("one", "config1", "weights1");
        using CancellationTokenSource stop = new();
        Watcher.OnAside = stop.Cancel;
        ModelRemover remover = Remover();
        remover.RemoveModel(ModelName.Parse("one"), stop.Token);
        Assert.ThrowsAny<OperationCanceledException>(() => remover.Finish(stop.Token));
        Assert.Equal(["config1", "weights1"], BlobsLeft);
        Assert.Equal(["lock"], Directory.GetFiles(Folder.Work).Select(Path.GetFileName));
    }

    [Fact]
    public void A_manifest_that_was_changed_while_leave_was_asked_for_stays()
    {
        Put("one", "config1", "weights1");
        Watcher.OnAsked = () => Put("one", "config1", "newer");
        Assert.Equal(ModelFault.BlobInUse, Assert.Throws<ModelFaultException>(() => Remove("one")).Fault);
        Assert.Equal(["config1", "newer", "weights1"], BlobsLeft);
        Assert.True(File.Exists(Store.ManifestPath(Parts("one"))));
    }
}
