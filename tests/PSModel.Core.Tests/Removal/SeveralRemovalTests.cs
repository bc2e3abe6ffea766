using PSModel.Core.Faults;
using PSModel.Core.Names;
using PSModel.Core.Removal;

namespace PSModel.Core.Tests.Removal;

/// <summary>Several models removed by one call, while others work on the store.</summary>
public sealed class SeveralRemovalTests : RemovalTests
{
    private static readonly string[] Freed = ["config1", "config2", "shared"];

    [Fact]
    public void Their_blobs_go_together_and_what_another_model_needs_stays()
    {
        Put("one", "config1", "shared");
        Put("two", "config2", "shared", "weights");
        Put("three", "config3", "weights");
        Remove("one", "two");
        Assert.Equal(["config3", "weights"], BlobsLeft);
        Assert.Single(Watcher.Told, message => message.Contains("set aside in", StringComparison.Ordinal));
        Assert.Equal([1, 1], Watcher.Asked.Select(step => step.Shared));
        Assert.Equal(
            Freed.Select(Digest).Order(StringComparer.Ordinal),
            Watcher.Asked.SelectMany(step => step.Files).Where(file => file.Kind == RemovedKind.Blob).Select(file => file.Digest!.ToString()).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Many_are_not_held_back_until_the_end()
    {
        for (int i = 0; i <= BlobRemoval.Most; i++)
        {
            Put($"m{i}", $"config{i}");
        }

        ModelRemover remover = Remover();
        for (int i = 0; i <= BlobRemoval.Most; i++)
        {
            remover.RemoveModel(ModelName.Parse($"m{i}"), default);
        }

        Assert.InRange(BlobsLeft.Count(), 0, 2);
    }

    [Fact]
    public void At_an_error_what_came_before_it_is_done()
    {
        Put("one", "config1", "weights1");
        ModelRemover remover = Remover();
        remover.RemoveModel(ModelName.Parse("one"), default);
        Assert.Equal(ModelFault.ManifestNotFound, Assert.Throws<ModelFaultException>(() => remover.RemoveModel(ModelName.Parse("missing"), default)).Fault);
        Assert.Empty(BlobsLeft);
    }

    [Fact]
    public void A_model_that_another_program_makes_meanwhile_keeps_what_it_needs()
    {
        Put("one", "config1", "weights1");
        ModelRemover remover = Remover();
        remover.RemoveModel(ModelName.Parse("one"), default);
        Store.PutManifest(Manifest("config1", "weights1"), Parts("copied"));
        remover.Finish(default);
        Assert.Equal(["config1", "weights1"], BlobsLeft);
    }

    [Fact]
    public void A_model_that_another_program_makes_or_changes_meanwhile_is_removed_as_it_is_then()
    {
        Put("one", "config1");
        Put("two", "config2");
        ModelRemover remover = Remover();
        remover.RemoveModel(ModelName.Parse("one"), default);
        Put("two", "config2", "newer");
        Put("three", "config3");
        remover.RemoveModel(ModelName.Parse("two"), default);
        remover.RemoveModel(ModelName.Parse("three"), default);
        remover.Finish(default);
        Assert.Empty(BlobsLeft);
        Assert.Empty(FilesOf("manifests"));
    }

    [Fact]
    public void Two_calls_side_by_side_leave_no_blob_of_either()
    {
        Put("one", "config1", "shared");
        Put("two", "config2", "shared");
        Put("three", "config3");
        ModelRemover first = Remover();
        ModelRemover second = Remover();
        second.RemoveModel(ModelName.Parse("three"), default);
        first.RemoveModel(ModelName.Parse("one"), default);
        second.RemoveModel(ModelName.Parse("two"), default);
        first.Finish(default);
        second.Finish(default);
        Assert.Empty(BlobsLeft);
    }

    [Fact]
    public void Where_a_manifest_cannot_be_read_at_the_end_the_advice_tells_how_to_free_the_rest()
    {
        Put("one", "config1");
        ModelRemover remover = Remover();
        remover.RemoveModel(ModelName.Parse("one"), default);
        Store.PutManifest(Bytes("{"), Parts("broken"));
        ModelFaultException fault = Assert.Throws<ModelFaultException>(() => remover.Finish(default));
        Assert.Equal(ModelFault.ManifestInvalid, fault.Fault);
        Assert.Contains("Remove-ModelBlob -Unused", fault.Facts.Remedy, StringComparison.Ordinal);
        Assert.Equal(["config1"], BlobsLeft);
    }
}
