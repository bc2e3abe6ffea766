using PSModel.Core.Blocks;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Metering;
using PSModel.Core.Names;
using PSModel.Core.Registry;
using PSModel.Core.Store;
using PSModel.Core.Transfer;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Core.Tests;

/// <summary>What is kept between calls, and what is not.</summary>
public sealed class ResumeTests : EngineTests
{
    [Fact]
    public async Task A_checkpoint_that_does_not_fit_is_gone_before_the_first_byte()
    {
        BlobContent content = BlobContent.Generate(20 * MB, 1);
        await StopAtAsync(content, 5 * MB);
        File.Delete(Assert.Single(Directory.GetFiles(Folder.Work, "*.partial")));
        string checkpoint = Assert.Single(Directory.GetFiles(Folder.Work, "*.checkpoint"));
        bool isGone = false;
        Fault((_, _) => isGone |= !File.Exists(checkpoint));

        await SaveAsync(content);

        Assert.True(isGone);
    }

    [Fact]
    public async Task A_stopped_transfer_goes_on_in_the_next_call_from_the_byte_reached()
    {
        // With one connection all that arrived is in order, and can be kept.
        Options.Connections = 1;
        BlobContent content = BlobContent.Generate(50 * MB, 1);
        using CancellationTokenSource stop = new();
        Watcher.OnLook = meter =>
        {
            if (meter.BytesTransferred > 10 * MB)
            {
                stop.Cancel();
            }
        };
        Fault((_, answer) => answer.BytesPerSecond = 30 * MB);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => SaveAsync(content, stop.Token));
        Assert.False(Directory.Exists(Folder.Blobs));

        Watcher.OnLook = null;
        SavedBlob saved = await SaveAsync(content);

        Assert.InRange(saved.Meter.BytesResumed, 10 * MB, 50 * MB);
        Assert.Equal(50 * MB, saved.Meter.BytesResumed + saved.Meter.BytesReceived);
        Assert.Contains(Watcher.Told, message => message.Contains("kept from an earlier call", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_block_map_of_a_blob_that_came_in_three_calls_knows_every_byte()
    {
        BlobContent content = BlobContent.Generate(30 * MB, 1);
        await StopAtAsync(content, 5 * MB);
        long first = KeptOf(content);
        await StopAtAsync(content, 17 * MB);
        long second = KeptOf(content);
        SavedBlob saved = await SaveAsync(content);

        BlockMap map = new BlockMapFile(new ModelStore(Folder.Path), saved.Layer.Digest).TryRead()!;
        byte[] bytes = await File.ReadAllBytesAsync(saved.Path);
        Assert.InRange(first, 1, second - 1);
        Assert.Equal(new[] { first, second }.Where(cut => cut % BlockLayout.BlockSize != 0), map.Layout.Cuts);
        Assert.Equal(bytes.Length, map.Layout.Blocks.Sum(block => block.Length));
        Assert.Equal(map.Layout.Blocks.Select(block => BlockChecksum.Of(bytes.AsSpan((int)block.Start, block.Length))), map.Checksums);
        Assert.InRange(new FileInfo(Path.Combine(Folder.Work, $"{saved.Layer.Digest.FileName}.blocks")).Length, 16 * 30, 1000);
        Assert.Empty(Directory.GetFiles(Folder.Work, "*partial"));
    }

    [Theory]
    [InlineData(3 * MB)]
    [InlineData(MB / 2)]
    public async Task A_blob_whose_name_is_taken_is_not_fetched_again_once_it_is_free(int size)
    {
        BlobContent content = BlobContent.Generate(size, 1);
        Fault((_, _) => Directory.CreateDirectory(Path.Combine(Folder.Blob(content.Digest), "not empty")));
        ModelFaultException e = await Assert.ThrowsAsync<ModelFaultException>(() => SaveAsync(content));
        ModelFault[] onWindows = [ModelFault.StoreWriteFailed, ModelFault.StoreNotWritable, ModelFault.BlobInUse];
        Assert.Contains(e.Fault, Path.DirectorySeparatorChar == '\\' ? onWindows : [ModelFault.StoreWriteFailed]);
        Fault((_, answer) => answer.Become(404, "{}"));
        Directory.Delete(Folder.Blob(content.Digest), recursive: true);
        Assert.Equal(size, (await SaveAsync(content)).Meter.BytesResumed);
    }

    [Fact]
    public async Task A_damaged_part_of_a_block_map_costs_the_map_and_nothing_else()
    {
        BlobContent content = BlobContent.Generate(20 * MB, 1);
        await StopAtAsync(content, 5 * MB);
        string part = Assert.Single(Directory.GetFiles(Folder.Work, "*.blocks-partial"));
        byte[] checksums = await File.ReadAllBytesAsync(part);
        checksums[20] ^= 1;
        await File.WriteAllBytesAsync(part, checksums);

        SavedBlob saved = await SaveAsync(content);
        Assert.True(saved.Meter.BytesResumed >= 5 * MB);
        Assert.Null(new BlockMapFile(new ModelStore(Folder.Path), saved.Layer.Digest).TryRead());
        Assert.Contains(Watcher.Told, message => message.Contains("block map", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_stop_ends_the_wait_for_a_connection_that_is_silent()
    {
        Options.Connections = 1;
        RegistryOptions.OperationTimeout = TimeSpan.FromHours(1);
        using CancellationTokenSource stop = new();
        Watcher.OnLook = meter =>
        {
            if (meter.BytesReceived == 5 * MB)
            {
                stop.Cancel();
            }
        };
        Fault((_, answer) => answer.StallAfter = 5 * MB);
        Task<SavedBlob> stopped = SaveAsync(BlobContent.Generate(20 * MB, 1), stop.Token);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => stopped.WaitAsync(TimeSpan.FromMinutes(1)));
    }

    [Fact]
    public async Task A_damaged_checkpoint_means_a_fresh_start_and_says_so()
    {
        BlobContent content = BlobContent.Generate(20 * MB, 1);
        await StopAtAsync(content, 5 * MB);
        string checkpoint = Assert.Single(Directory.GetFiles(Folder.Work, "*.checkpoint"));
        await File.WriteAllTextAsync(checkpoint, (await File.ReadAllTextAsync(checkpoint)).Replace("offset", "offsat", StringComparison.Ordinal));

        SavedBlob saved = await SaveAsync(content);

        Assert.Equal(0, saved.Meter.BytesResumed);
        Assert.Contains(Watcher.Told, message => message.Contains("checksum", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_partial_file_shorter_than_its_checkpoint_means_a_fresh_start()
    {
        BlobContent content = BlobContent.Generate(20 * MB, 1);
        await StopAtAsync(content, 5 * MB);
        using (FileStream partial = new(Assert.Single(Directory.GetFiles(Folder.Work, "*.partial")), FileMode.Open))
        {
            partial.SetLength(1 * MB);
        }

        SavedBlob saved = await SaveAsync(content);
        Assert.Equal(0, saved.Meter.BytesResumed);
    }

    [Fact]
    public async Task Bytes_past_the_checkpoint_are_cut_off()
    {
        BlobContent content = BlobContent.Generate(20 * MB, 1);
        await StopAtAsync(content, 5 * MB);
        using (FileStream partial = new(Assert.Single(Directory.GetFiles(Folder.Work, "*.partial")), FileMode.Append))
        {
            partial.Write(new byte[30 * MB]);
        }

        SavedBlob saved = await SaveAsync(content);
        Assert.True(saved.Meter.BytesResumed >= 5 * MB);
    }

    [Fact]
    public async Task A_server_that_ignores_ranges_costs_a_resumed_call_the_bytes_but_not_the_blob()
    {
        BlobContent content = BlobContent.Generate(20 * MB, 1);
        await StopAtAsync(content, 5 * MB);
        Fault((_, answer) => answer.SendWhole());

        SavedBlob saved = await SaveAsync(content);

        Assert.True(saved.Meter.BytesResumed >= 5 * MB);
        Assert.Equal(20 * MB, saved.Meter.BytesReceived);
    }

    [Fact]
    public async Task A_second_call_for_the_same_blob_waits_and_finds_it_there()
    {
        BlobContent content = BlobContent.Generate(20 * MB, 1);
        Fault((_, answer) => answer.BytesPerSecond = 15 * MB);
        TransferWatcher second = new();
        TaskCompletionSource underway = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Watcher.OnLook = meter =>
        {
            if (meter.BytesTransferred > 0)
            {
                underway.TrySetResult();
            }
        };

        Task<SavedBlob> first = SaveAsync(content);
        await underway.Task;
        await second.SaveAsync(this, content);

        Assert.Equal(BlobOutcome.Downloaded, (await first).Outcome);
        Assert.Equal(BlobOutcome.AlreadyPresent, second.Saved!.Outcome);
        Assert.Contains(second.Told, message => message.Contains("Another process", StringComparison.Ordinal));

        // A lane that is joined by another may break its request off a little late.
        Assert.InRange(Registry.BlobBytesSent, 20 * MB, 25 * MB);
    }

    [Fact]
    public async Task Where_that_is_asked_for_the_file_is_read_back_before_it_is_committed()
    {
        Options.ReadBack = true;
        SavedBlob saved = await SaveAsync(BlobContent.Generate(20 * MB, 1));
        Assert.Equal(20 * MB, saved.Meter.BytesVerified);
    }

    [Fact]
    public async Task A_wrong_blob_leaves_nothing_that_a_later_call_would_trust()
    {
        BlobContent content = BlobContent.Generate(5 * MB, 1);
        Fault((_, answer) => answer.FlipAt = 1 * MB);
        ModelFaultException fault = await Assert.ThrowsAsync<ModelFaultException>(() => SaveAsync(content));
        Assert.Equal(ModelFault.DigestMismatch, fault.Fault);
        Assert.Equal(["lock"], Directory.GetFiles(Folder.Work).Select(Path.GetFileName));

        Registry.Fault = null;
        Assert.Equal(0, (await SaveAsync(content)).Meter.BytesResumed);
    }
}
