using PSModel.Core.Faults;
using PSModel.Core.Metering;
using PSModel.Core.Store;
using PSModel.Core.Transfer;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Core.Tests.Files;

/// <summary>Stores whose folders lie on several volumes.</summary>
public sealed class VolumeTests : EngineTests, IDisposable
{
    private readonly TemporaryFolder _other = new("/dev/shm");
    private readonly BlobContent _content = BlobContent.Generate(20 * MB, 1);

    [NeedsFact("stat")]
    public void A_rename_between_volumes_fails_and_copies_nothing()
    {
        string from = Path.Combine(Folder.Path, "from");
        string to = Path.Combine(_other.Path, "to");
        File.WriteAllText(from, "text");
        Assert.Throws<IOException>(() => DurableFile.Rename(from, to));
        Assert.True(File.Exists(from));
        Assert.False(File.Exists(to));
    }

    [NeedsFact("stat")]
    public async Task Where_blobs_is_a_link_to_another_volume_the_file_that_was_written_is_the_one_that_gets_the_name()
    {
        string blobs = Path.Combine(_other.Path, "blobs");
        Directory.CreateDirectory(blobs);
        Directory.CreateSymbolicLink(Folder.Blobs, blobs);
        await StopAtAsync(_content, 5 * MB);
        string partial = Assert.Single(Directory.GetFiles(Path.Combine(_other.Path, ".psmodel"), "*.partial"));
        string inode = Unix.Stat(partial, "%i");

        SavedBlob saved = await SaveAsync(_content);

        Assert.True(saved.Meter.BytesResumed >= 5 * MB);
        Assert.Equal(inode, Unix.Stat(Path.Combine(blobs, Path.GetFileName(saved.Path)), "%i"));
        Assert.Single(Directory.GetFiles(blobs));
        Assert.False(Directory.Exists(Folder.Work) && Directory.EnumerateFiles(Folder.Work, "*partial").Any());
        Assert.NotNull(BlockMapFile.Beside(saved.Path, saved.Layer.Digest)!.TryRead());
    }

    [NeedsFact("stat")]
    public async Task Where_manifests_is_a_link_to_another_volume_the_manifest_is_renamed_there()
    {
        string manifests = Path.Combine(_other.Path, "manifests");
        Directory.CreateDirectory(manifests);
        Directory.CreateSymbolicLink(Path.Combine(Folder.Path, "manifests"), manifests);
        await SaveAsync(_content);
        string manifest = Assert.Single(Directory.GetFiles(manifests, "*", SearchOption.AllDirectories));
        Assert.Equal(5, Path.GetRelativePath(_other.Path, manifest).Split('/').Length);
        Assert.Empty(Directory.GetFiles(Path.Combine(_other.Path, ".psmodel")));
    }

    [NeedsFact("stat")]
    public async Task Manifests_that_were_left_half_written_there_go_after_thirty_days()
    {
        string manifests = Path.Combine(_other.Path, "manifests");
        Directory.CreateDirectory(manifests);
        Directory.CreateSymbolicLink(Path.Combine(Folder.Path, "manifests"), manifests);
        string work = Path.Combine(_other.Path, ".psmodel");
        Directory.CreateDirectory(work);
        string left = Path.Combine(work, $"manifest-{Guid.NewGuid():N}");
        File.WriteAllText(left, "half of one");
        File.SetLastWriteTimeUtc(left, DateTime.UtcNow.AddDays(-31));
        await SaveAsync(_content);
        Assert.False(File.Exists(left));
    }

    [NeedsFact("mount", "umount", Root = true)]
    public async Task A_volume_that_is_mounted_at_blobs_holds_its_work_itself()
    {
        Directory.CreateDirectory(Folder.Blobs);
        Unix.Run("mount", "-t", "tmpfs", "none", Folder.Blobs);
        await SaveAndUnmountAsync();
    }

    [NeedsFact("mount", "umount", Root = true)]
    public async Task A_folder_of_the_same_file_system_that_is_mounted_at_blobs_is_another_volume_to_a_rename()
    {
        Directory.CreateDirectory(Folder.Blobs);
        using TemporaryFolder beside = new();
        Unix.Run("mount", "--bind", beside.Path, Folder.Blobs);
        await SaveAndUnmountAsync();
    }

    [NeedsFact("mount", "umount", Root = true)]
    public async Task A_work_folder_that_is_a_volume_of_its_own_is_refused_before_anything_is_fetched()
    {
        Directory.CreateDirectory(Folder.Work);
        Unix.Run("mount", "-t", "tmpfs", "none", Folder.Work);
        try
        {
            ModelFaultException fault = await Assert.ThrowsAsync<ModelFaultException>(() => SaveAsync(_content));
            Assert.Equal(ModelFault.StoreWriteFailed, fault.Fault);
            Assert.Contains("Unmount it", fault.Message, StringComparison.Ordinal);
            Assert.Empty(BlobRequests);
        }
        finally
        {
            Unix.Run("umount", Folder.Work);
        }
    }

    void IDisposable.Dispose()
    {
        _other.Dispose();
        Dispose();
    }

    private async Task SaveAndUnmountAsync()
    {
        try
        {
            await StopAtAsync(_content, 5 * MB);
            string inode = Unix.Stat(Assert.Single(Directory.GetFiles(Path.Combine(Folder.Blobs, ".psmodel"), "*.partial")), "%i");
            SavedBlob saved = await SaveAsync(_content);
            Assert.Equal(inode, Unix.Stat(saved.Path, "%i"));
            Assert.Single(Directory.GetFiles(Folder.Blobs));
        }
        finally
        {
            Unix.Run("umount", Folder.Blobs);
        }
    }
}
