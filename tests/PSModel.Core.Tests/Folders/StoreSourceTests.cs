using PSModel.Core.Faults;
using PSModel.Core.Names;
using PSModel.Core.Store;
using PSModel.Core.Transfer;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Core.Tests.Folders;

/// <summary>A store of Ollama's as the place where models come from.</summary>
public sealed class StoreSourceTests : FolderTests
{
    [Fact]
    public async Task A_model_is_copied_whole_with_a_map_of_its_blocks_and_nobody_else_is_asked()
    {
        MakeStore();
        SortedDictionary<string, string> before = From.Snapshot();
        await SaveFromAsync("demo:1b");

        Assert.Equal(before, Folder.Snapshot());
        Assert.Equal(before, From.Snapshot());
        Assert.False(Directory.Exists(From.Work));
        Assert.Empty(Registry.Requests);
        Assert.NotNull(new BlockMapFile(Store, BlobDigest.Parse(Weights)).TryRead());
        Assert.All(Watcher.All, blob => Assert.Equal(BlobOutcome.Downloaded, blob.Outcome));
    }

    [Theory]
    [InlineData(EntryKind.Link)]
    [InlineData(EntryKind.Copy)]
    public async Task A_store_of_a_later_Ollama_is_read_as_well(EntryKind kind)
    {
        if (OperatingSystem.IsWindows() && kind == EntryKind.Link)
        {
            return;
        }

        OllamaStore store = new(From.Path);
        store.PutBlobs(Model);
        store.PutEntry(kind, Model.Manifest, "ollama.com", "library", "demo", "1b");
        await SaveFromAsync("demo:1b");
        Assert.Equal(Model.Manifest, Store.Manifests.Read(ModelName.Parse("demo:1b")).GetBytes());
        Assert.Equal(Weights, Folder.DigestOf(Weights));
    }

    [Fact]
    public async Task Where_the_model_came_from_before_goes_with_it()
    {
        await SaveStoreAsync();
        string name = Registry.Offer(Model);
        await SaveFromAsync(name);
        Assert.Equal(Registry.Address.GetLeftPart(UriPartial.Authority), Store.Manifests.Read(ModelName.Parse(name)).Origin);
    }

    [Fact]
    public async Task A_damaged_blob_is_named_with_the_place_of_the_damage_and_the_others_are_kept()
    {
        await SaveStoreAsync();
        string name = Registry.Offer(Model);
        Flip(From.Blob(Weights), 3_000_000, 3_500_000, 7_340_032);
        ModelFaultException fault = await FailAsync(name);

        Assert.Equal(ModelFault.DigestMismatch, fault.Fault);
        Assert.Equal(From.Blob(Weights), fault.Facts.Path);
        Assert.Contains($"'{From.Blob(Weights)}'", fault.Message, StringComparison.Ordinal);
        Assert.Contains($"wrong in the bytes {ByteText.Digits(2_097_152)} to {ByteText.Digits(4_194_303)}, {ByteText.Digits(7_340_032)} to {ByteText.Digits(8_388_607)}.", fault.Message, StringComparison.Ordinal);
        Assert.Contains("-Diagnose", fault.Facts.Remedy, StringComparison.Ordinal);
        Assert.False(File.Exists(Folder.Blob(Weights)));
        Assert.False(Directory.Exists(Path.Combine(Folder.Path, "manifests")));
        Assert.Equal(4, Watcher.All.Count);

        // Nothing wrong is kept for a later call.
        Flip(From.Blob(Weights), 3_000_000, 3_500_000, 7_340_032);
        Watcher.All.Clear();
        await SaveFromAsync(name);
        Assert.Equal(Weights, Folder.DigestOf(Weights));
    }

    [Fact]
    public async Task A_small_damaged_blob_is_named_as_well()
    {
        MakeStore();
        Flip(From.Blob(Model.Blobs[1].Digest), 0);
        ModelFaultException fault = await FailAsync("demo:1b");
        Assert.Equal(ModelFault.DigestMismatch, fault.Fault);
        Assert.Equal(From.Blob(Model.Blobs[1].Digest), fault.Facts.Path);
    }

    [Fact]
    public async Task A_blob_that_is_cut_short_or_gone_or_something_else_is_told_of()
    {
        MakeStore();
        File.WriteAllBytes(From.Blob(Weights), new byte[1000]);
        ModelFaultException fault = await FailAsync("demo:1b");
        Assert.Equal(ModelFault.SizeMismatch, fault.Fault);
        Assert.Equal(1000, fault.Facts.ActualSize);
        Assert.Contains(From.Blob(Weights), fault.Message, StringComparison.Ordinal);

        File.Delete(From.Blob(Weights));
        fault = await FailAsync("demo:1b");
        Assert.Equal(ModelFault.BlobNotFound, fault.Fault);
        Assert.Equal(From.Blob(Weights), fault.Facts.Path);

        Directory.CreateDirectory(From.Blob(Weights));
        Assert.Equal(ModelFault.BlobNotFound, (await FailAsync("demo:1b")).Fault);
    }

    [Fact]
    public async Task A_copy_that_was_stopped_goes_on_where_it_was()
    {
        MakeStore(From.Path, LoopbackModel.WithWeightsAlone("library/demo", "1b", Model.Blobs[0]));

        // However late the look is, the copy has not ended meanwhile.
        Options.BandwidthLimit = MB;
        using CancellationTokenSource stop = new();
        Watcher.OnLook = meter =>
        {
            if (meter.BytesTransferred > MB)
            {
                stop.Cancel();
            }
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => SaveFromAsync(stop.Token, "demo:1b"));
        Watcher.OnLook = null;
        Options.BandwidthLimit = 0;
        long kept = KeptOf(Model.Blobs[0]);
        Assert.InRange(kept, MB, (9 * MB) - 1);

        await SaveFromAsync("demo:1b");
        Assert.Equal(kept, Watcher.Saved!.Meter.BytesResumed);
        Assert.Equal((9 * MB) - kept, Watcher.Saved.Meter.BytesReceived);
        Assert.Equal(Weights, Folder.DigestOf(Weights));
    }

    [Fact]
    public async Task A_model_that_is_not_there_and_a_folder_that_is_no_store_are_told_of()
    {
        MakeStore();
        Assert.Equal(ModelFault.ManifestNotFound, (await FailAsync("other")).Fault);
        using TemporaryFolder empty = new();
        Assert.Equal(ModelFault.StoreNotFound, Assert.Throws<ModelFaultException>(() => Core.Folders.FolderSource.Open(empty.Path, RegistryOptions)).Fault);
        Assert.Equal(ModelFault.StoreNotFound, Assert.Throws<ModelFaultException>(() => Core.Folders.FolderSource.Open(empty.Path + "-none", RegistryOptions)).Fault);
        Directory.Move(Path.Combine(From.Path, "blobs"), Path.Combine(Directory.CreateDirectory(Path.Combine(empty.Path, "models")).FullName, "blobs"));
        Directory.Move(Path.Combine(From.Path, "manifests"), Path.Combine(empty.Path, "models", "manifests"));
        Assert.Contains("'models'", Assert.Throws<ModelFaultException>(() => Core.Folders.FolderSource.Open(empty.Path, RegistryOptions)).Message, StringComparison.Ordinal);
    }
}
