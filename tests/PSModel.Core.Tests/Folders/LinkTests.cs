using PSModel.Core.Faults;
using PSModel.Core.Folders;
using PSModel.Core.Names;
using PSModel.Core.Store;
using PSModel.Core.Transfer;
using PSModel.TestParts;

namespace PSModel.Core.Tests.Folders;

/// <summary>Blobs that share their bytes with a folder.</summary>
public sealed class LinkTests : FolderTests
{
    public LinkTests() => Options.Link = true;

    [Fact]
    public async Task Each_blob_is_read_once_and_linked()
    {
        MakeStore();
        await SaveFromAsync("demo:1b");
        Assert.All(Watcher.All, blob => Assert.Equal((BlobOutcome.Linked, true, 0L), (blob.Outcome, blob.IsReadBack, blob.Meter.BytesReceived)));
        Assert.All(Model.Blobs, blob => Assert.True(IsOneFile(blob.Digest)));
        Assert.NotNull(new BlockMapFile(Store, BlobDigest.Parse(Weights)).TryRead());
        Assert.Equal(Model.Manifest, Store.Manifests.Read(ModelName.Parse("demo:1b")).GetBytes());
        Assert.Empty(Directory.GetFiles(Folder.Work, "*.link"));

        // Once more, over itself.
        Options.Force = true;
        await SaveFromAsync("demo:1b");
        Assert.True(IsOneFile(Weights));
        Assert.Empty(Directory.GetFiles(Folder.Work, "*.link"));
    }

    [Fact]
    public async Task A_damaged_file_is_not_linked_and_told_of()
    {
        await SaveStoreAsync();
        Flip(From.Blob(Weights), 1_048_576);
        DateTime time = File.GetLastWriteTimeUtc(From.Blob(Weights));
        ModelFaultException fault = await FailAsync(Registry.Offer(Model));
        Assert.Equal(ModelFault.DigestMismatch, fault.Fault);
        Assert.Contains($"wrong in the bytes {ByteText.Digits(1_048_576)} to {ByteText.Digits(2_097_151)}.", fault.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Folder.Blob(Weights)));
        Assert.Empty(Directory.GetFiles(Folder.Work, "*.link"));
        Assert.Equal(time, File.GetLastWriteTimeUtc(From.Blob(Weights)));
    }

    /// <summary>Ollama removes what is older than an hour and named by no manifest yet.</summary>
    [Fact]
    public async Task A_blob_is_young_until_its_manifest_is_there()
    {
        MakeStore();
        File.SetLastWriteTimeUtc(From.Blob(Weights), DateTime.UtcNow.AddDays(-1));
        Watcher.OnConfirmManifest = () => new OllamaStore(Folder.Path).Prune();
        await SaveFromAsync("demo:1b");
        Assert.True(IsOneFile(Weights));
    }

    /// <summary>What is written to a second name is written to the first.</summary>
    [Fact]
    public async Task A_blob_that_is_fetched_anew_or_copied_after_a_crash_leaves_the_folder_alone()
    {
        MakeStore();
        await SaveFromAsync("demo:1b");
        SortedDictionary<string, string> before = From.Snapshot();
        Options.Link = false;
        Options.Force = true;
        await SaveFromAsync("demo:1b");
        Assert.False(IsOneFile(Weights));
        Assert.Equal(before, From.Snapshot());

        // As a killed call leaves it.
        using (LinkedFile.TryCreate(Store, BlobDigest.Parse(Weights), From.Blob(Weights), out _))
        {
        }

        await SaveFromAsync("demo:1b");
        Assert.Equal(before, From.Snapshot());
        Assert.Equal(Weights, Folder.DigestOf(Weights));
    }

    [Fact]
    public void A_file_that_is_written_to_while_it_is_read_is_not_committed()
    {
        MakeStore();
        using LinkedFile linked = LinkedFile.TryCreate(Store, BlobDigest.Parse(Weights), From.Blob(Weights), out _)!;
        linked.RequireOwn();
        File.SetLastWriteTimeUtc(From.Blob(Weights), DateTime.UtcNow.AddHours(-1));
        Assert.Equal(ModelFault.BlobInUse, Assert.Throws<ModelFaultException>(linked.RequireOwn).Fault);
    }

    [Fact]
    public void A_name_that_was_given_to_another_file_is_not_committed()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        MakeStore();
        using LinkedFile linked = LinkedFile.TryCreate(Store, BlobDigest.Parse(Weights), From.Blob(Weights), out _)!;
        File.Delete(linked.FilePath);
        File.Copy(From.Blob(Weights), linked.FilePath);
        Assert.Equal(ModelFault.BlobInUse, Assert.Throws<ModelFaultException>(linked.RequireOwn).Fault);
    }

    [NeedsFact("mount", Root = true)]
    public Task On_another_volume_blobs_are_copied() => OnVolumeAsync(["-t", "tmpfs", "-o", "size=50m", "none"], BlobOutcome.Downloaded);

    [NeedsFact("mkfs.btrfs", Root = true)]
    public async Task On_a_volume_that_shares_bytes_until_they_are_written_each_file_is_its_own()
    {
        using TemporaryFolder images = new();
        string image = Path.Combine(images.Path, "image");
        using (FileStream file = File.Create(image))
        {
            file.SetLength(200_000_000);
        }

        using ChildProcess made = ChildProcess.Start("mkfs.btrfs", ["-q", image]);
        Assert.Equal(0, await made.WaitAsync(TimeSpan.FromMinutes(1)));
        await OnVolumeAsync(["-o", "loop", image], BlobOutcome.Linked);
    }

    private async Task OnVolumeAsync(string[] mount, BlobOutcome expected)
    {
        await ChildProcess.RunAsync("mount", [.. mount, Folder.Path]);
        try
        {
            if (expected == BlobOutcome.Linked)
            {
                // Both on the one volume.
                MakeStore(Path.Combine(Folder.Path, "from"), Model);
                using FolderSource source = FolderSource.Open(Path.Combine(Folder.Path, "from"), RegistryOptions);
                await Watcher.SaveAsync(this, source, [new ModelRequest("demo:1b", token => source.GetManifest(ModelName.Parse("demo:1b"), token))], CancellationToken.None);
                string original = Path.Combine(Folder.Path, "from", "blobs", Path.GetFileName(Folder.Blob(Weights)));
                Assert.False(FileFacts.TryRead(original)!.Value.IsSame(FileFacts.TryRead(Folder.Blob(Weights))!.Value));
                Flip(original, 0);
            }
            else
            {
                MakeStore();
                await SaveFromAsync("demo:1b");
                Assert.Contains(Watcher.Told, told => told.Contains("cannot be linked", StringComparison.Ordinal));
            }

            Assert.All(Watcher.All, blob => Assert.Equal(expected, blob.Outcome));
            Assert.Equal(Weights, Folder.DigestOf(Weights));
        }
        finally
        {
            await ChildProcess.RunAsync("umount", Folder.Path);
        }
    }

    private bool IsOneFile(string digest) => FileFacts.TryRead(From.Blob(digest))!.Value.IsSame(FileFacts.TryRead(Folder.Blob(digest))!.Value);
}
