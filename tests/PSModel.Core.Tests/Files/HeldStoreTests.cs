using PSModel.Core.Faults;
using PSModel.Core.Names;
using PSModel.Core.Store;
using PSModel.Core.Transfer;
using PSModel.Loopback;

namespace PSModel.Core.Tests.Files;

/// <summary>Files of a store that another program holds. Windows replaces none that is open, and Linux does.</summary>
public sealed class HeldStoreTests : EngineTests
{
    private readonly BlobContent _content = BlobContent.Generate(5 * MB, 1);

    [Fact]
    public async Task A_blob_that_is_held_is_in_use_where_the_system_does_not_replace_it()
    {
        await SaveAsync(_content);
        Options.Force = true;
        await ReplaceAsync(Folder.Blob(_content.Digest));
    }

    [Fact]
    public async Task So_is_a_manifest()
    {
        await SaveAsync(_content);
        string manifest = Assert.Single(Directory.GetFiles(Path.Combine(Folder.Path, "manifests"), "*", SearchOption.AllDirectories));
        File.WriteAllText(manifest, "{}");
        await ReplaceAsync(manifest);
    }

    [Fact]
    public async Task A_checkpoint_that_is_held_for_moments_ends_nothing()
    {
        await StopAtAsync(_content, 2 * MB);
        string checkpoint = Assert.Single(Directory.GetFiles(Folder.Work, "*.checkpoint"));
        FileStream holder = new(checkpoint, FileMode.Open, FileAccess.Read, FileShare.None);
        using Timer letGo = new(_ => holder.Dispose(), null, TimeSpan.FromMilliseconds(200), Timeout.InfiniteTimeSpan);
        SavedBlob saved = await SaveAsync(_content);
        Assert.True(saved.Meter.BytesResumed > 0);
    }

    [Theory]
    [InlineData("demo:1.")]
    [InlineData("nul")]
    [InlineData("demo:nul")]
    public void A_name_that_Windows_cannot_hold_is_refused_there_before_anything_is_asked(string text)
    {
        ModelStore store = new(Folder.Path);
        if (OperatingSystem.IsWindows())
        {
            ModelFaultException fault = Assert.Throws<ModelFaultException>(() => store.Manifests.PathOf(ModelName.Parse(text)));
            Assert.Equal(ModelFault.InvalidModelName, fault.Fault);
            Assert.Equal(ModelFault.InvalidModelName, Assert.Throws<ModelFaultException>(() => store.Manifests.Read(ModelName.Parse(text))).Fault);
        }
        else
        {
            Assert.Equal(ModelFault.ManifestNotFound, Assert.Throws<ModelFaultException>(() => store.Manifests.Read(ModelName.Parse(text))).Fault);
        }
    }

    [Theory]
    [InlineData("nul", "latest")]
    [InlineData("demo", "1.")]
    public async Task No_blob_is_fetched_for_such_a_name(string model, string tag)
    {
        LoopbackModel offered = LoopbackModel.Generate($"library/{model}", tag, 1 * MB);
        if (OperatingSystem.IsWindows())
        {
            ModelFaultException fault = await Assert.ThrowsAsync<ModelFaultException>(() => Watcher.SaveAsync(this, [offered]));
            Assert.Equal(ModelFault.InvalidModelName, fault.Fault);
            Assert.Empty(BlobRequests);
        }
        else
        {
            await Watcher.SaveAsync(this, [offered]);
        }
    }

    private async Task ReplaceAsync(string path)
    {
        using FileStream holder = new(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        if (OperatingSystem.IsWindows())
        {
            ModelFaultException fault = await Assert.ThrowsAsync<ModelFaultException>(() => SaveAsync(_content));
            Assert.Equal((ModelFault.BlobInUse, path), (fault.Fault, fault.Facts.Path));
        }
        else
        {
            await SaveAsync(_content);
        }
    }
}
