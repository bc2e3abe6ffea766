using PSModel.Core.Blocks;
using PSModel.Core.Faults;
using PSModel.Core.Names;
using PSModel.Core.Store;
using PSModel.Core.Transfer;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Core.Tests;

/// <summary>A repair where map, manifest or other processes stand in its way.</summary>
public sealed class RepairTests : EngineTests
{
    private const int MiB = BlockLayout.BlockSize;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <summary>Blocks that the file has wrong, and blocks that the map has wrong, or knows as the file has them.</summary>
    [Theory]
    [InlineData(new[] { 2 }, new[] { 4 }, new int[0])]
    [InlineData(new[] { 2 }, new[] { 2 }, new int[0])]
    [InlineData(new[] { 2 }, new int[0], new[] { 2 })]
    [InlineData(new[] { 1, 2 }, new[] { 0, 4 }, new[] { 1 })]
    public async Task A_wrong_map_costs_bytes_and_not_the_repair(int[] damaged, int[] wrong, int[] known)
    {
        BlobContent content = BlobContent.Generate(5 * MiB, 1);
        SavedBlob saved = await SaveAsync(content);
        BlockMapFile file = new(new ModelStore(Folder.Path), saved.Layer.Digest);
        BlockMap right = file.TryRead()!;
        foreach (int index in damaged)
        {
            Damage(saved.Path, ((long)index * MiB) + 77);
        }

        byte[] bytes = await File.ReadAllBytesAsync(saved.Path);
        file.Write(new BlockMap(right.Layout, [.. right.Checksums.Select((checksum, i) =>
            wrong.Contains(i) ? new BlockChecksum(1, 2)
            : known.Contains(i) ? BlockChecksum.Of(bytes.AsSpan(i * MiB, MiB))
            : checksum)]));
        Options.Repair = true;

        SavedBlob repaired = await SaveAsync(content).WaitAsync(Patience);

        Assert.Equal(BlobOutcome.Repaired, repaired.Outcome);
        Assert.Equal(right.Checksums, file.TryRead()!.Checksums);
        Assert.Equal(["lock", $"{saved.Layer.Digest.FileName}.blocks"], WorkLeft);
    }

    [Fact]
    public async Task A_map_that_is_wrong_and_a_wire_that_is_leave_the_old_blob()
    {
        BlobContent content = BlobContent.Generate(5 * MiB, 1);
        SavedBlob saved = await SaveAsync(content);
        Damage(saved.Path, 77);
        byte[] before = await File.ReadAllBytesAsync(saved.Path);
        Options.Repair = true;
        Fault((_, answer) => answer.FlipAt = 5);

        ModelFaultException fault = await Assert.ThrowsAsync<ModelFaultException>(() => SaveAsync(content)).WaitAsync(Patience);

        Assert.Equal(ModelFault.DigestMismatch, fault.Fault);
        Assert.Equal(before, await File.ReadAllBytesAsync(saved.Path));
    }

    [Fact]
    public async Task A_blob_of_no_bytes_whose_file_has_some_is_repaired()
    {
        BlobContent content = BlobContent.Of([]);
        SavedBlob saved = await SaveAsync(content);
        await File.WriteAllBytesAsync(saved.Path, new byte[3 * MiB]);
        Options.Repair = true;
        Assert.Equal(BlobOutcome.Repaired, (await SaveAsync(content)).Outcome);
    }

    [Fact]
    public async Task A_manifest_that_names_another_size_than_the_right_blob_has_is_told_of_as_that()
    {
        BlobContent content = BlobContent.Generate(3 * MiB, 1);
        SavedBlob saved = await SaveAsync(content);
        string manifest = $$"""{"schemaVersion":2,"layers":[{"mediaType":"application/vnd.ollama.image.model","digest":"{{content.Digest}}","size":{{content.Length - 1}}}]}""";
        LoopbackModel model = LoopbackModel.WithWeights("library/other", "latest", content).WithManifest(System.Text.Encoding.UTF8.GetBytes(manifest));
        Options.Repair = true;

        ModelFaultException fault = await Assert.ThrowsAsync<ModelFaultException>(() => Watcher.SaveAsync(this, model));

        Assert.Equal(ModelFault.SizeMismatch, fault.Fault);
        Assert.Equal((content.Length - 1, content.Length), (fault.Facts.ExpectedSize, fault.Facts.ActualSize));
        Assert.Equal("The file is right. Only the model's owner can mend its manifest.", fault.Facts.Remedy);
        Assert.True(File.Exists(saved.Path));
    }

    [Fact]
    public async Task A_repair_that_waits_for_another_process_holds_up_no_other_blob()
    {
        LoopbackModel damaged = LoopbackModel.GenerateMany("library/damaged", "latest", 1, 3 * MiB);
        LoopbackModel missing = LoopbackModel.GenerateMany("library/missing", "latest", 2, 2 * MiB, seed: 7);
        await Watcher.SaveAsync(this, damaged);
        Damage(Folder.Blob(damaged.Blobs[0].Digest), 77);
        Options.Repair = true;
        ModelStore store = new(Folder.Path);
        BlobLock held = BlobLock.TryAcquire(store, BlobDigest.Parse(damaged.Blobs[0].Digest))!;
        TaskCompletionSource others = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Watcher.OnFinished = blob => _ = blob.Layer.Digest.ToString() == missing.Blobs[1].Digest && others.TrySetResult();

        Task saving = Watcher.SaveAsync(this, damaged, missing);
        try
        {
            await others.Task.WaitAsync(Patience);
            lock (Watcher.Told)
            {
                Assert.Contains(Watcher.Told, message => message.Contains("Another process", StringComparison.Ordinal));
            }
        }
        finally
        {
            held.Dispose();
            await saving.WaitAsync(Patience);
        }

        Assert.Contains(Watcher.All, blob => blob.Outcome == BlobOutcome.Repaired);
    }

    [Fact]
    public async Task A_blob_that_another_process_repaired_meanwhile_is_not_fetched()
    {
        BlobContent content = BlobContent.Generate(3 * MiB, 1);
        SavedBlob saved = await SaveAsync(content);
        byte[] right = await File.ReadAllBytesAsync(saved.Path);
        Damage(saved.Path, 77);
        Options.Repair = true;
        BlobLock held = BlobLock.TryAcquire(new ModelStore(Folder.Path), saved.Layer.Digest)!;
        long sent = Registry.BlobBytesSent;
        Watcher.OnTold = message =>
        {
            if (message.Contains("Another process", StringComparison.Ordinal))
            {
                File.WriteAllBytes(saved.Path, right);
                held.Dispose();
            }
        };

        SavedBlob found = await SaveAsync(content).WaitAsync(Patience);

        Assert.Equal(BlobOutcome.AlreadyPresent, found.Outcome);
        Assert.Equal(sent, Registry.BlobBytesSent);
    }

#if NET
    [NeedsFact("mount", "umount", Root = true)]
    public async Task Room_for_one_copy_is_enough_for_the_repair_of_several_blobs()
    {
        await ChildProcess.RunAsync("mount", "-t", "tmpfs", "-o", "size=24m", "none", Folder.Path);
        try
        {
            LoopbackModel model = LoopbackModel.GenerateMany("library/damaged", "latest", 2, 7 * MiB);
            await Watcher.SaveAsync(this, model);
            Damage(Folder.Blob(model.Blobs[0].Digest), 77);
            Damage(Folder.Blob(model.Blobs[1].Digest), 77);
            Options.Repair = true;
            Fault((_, answer) => answer.BytesPerSecond = 1 * MB);

            await Watcher.SaveAsync(this, model).WaitAsync(Patience);

            Assert.Equal(2, Watcher.All.Count(blob => blob.Outcome == BlobOutcome.Repaired));
        }
        finally
        {
            await ChildProcess.RunAsync("umount", Folder.Path);
        }
    }
#endif

    private static void Damage(string path, long at)
    {
        using FileStream file = File.OpenWrite(path);
        file.Position = at;
        file.Write([1, 2, 3, 4]);
    }
}
