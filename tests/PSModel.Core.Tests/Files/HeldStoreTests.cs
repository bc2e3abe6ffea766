using PSModel.Core.Blocks;
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

    [Theory]
    [InlineData(new[] { 2 * BlockLayout.BlockSize })]
    [InlineData(new[] { 0, 2 * BlockLayout.BlockSize, 4 * BlockLayout.BlockSize })]
    public async Task So_is_a_blob_that_is_repaired_whether_blocks_of_it_are_wrong_or_most(int[] damaged)
    {
        await DamageAsync(damaged);
        await ReplaceAsync(Folder.Blob(_content.Digest));
    }

    [Fact]
    public async Task So_is_one_that_nobody_may_read()
    {
        await DamageAsync(77);
        await ReplaceAsync(Folder.Blob(_content.Digest), FileShare.None);
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

    private async Task DamageAsync(params int[] at)
    {
        await SaveAsync(_content);
        using (FileStream file = File.OpenWrite(Folder.Blob(_content.Digest)))
        {
            foreach (int offset in at)
            {
                file.Position = offset;
                file.Write([1, 2, 3, 4]);
            }
        }

        Options.Repair = true;
    }

    private async Task ReplaceAsync(string path, FileShare share = FileShare.Read)
    {
        using FileStream holder = new(path, FileMode.Open, FileAccess.Read, share);
        if (OperatingSystem.IsWindows() || share == FileShare.None)
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
