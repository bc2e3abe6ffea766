using System.Collections.Concurrent;
using System.Diagnostics;
using PSModel.Core.Names;
using PSModel.Core.Store;
using PSModel.Core.Transfer;
using PSModel.Loopback;

namespace PSModel.Core.Tests;

/// <summary>All blobs of a call are one plan.</summary>
public sealed class ManyBlobsTests : EngineTests
{
    /// <summary>The milliseconds that the server takes to answer.</summary>
    private const int Answer = 20;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(2 * MB)]
    [InlineData(64 * 1024)]
    public async Task Blobs_are_fetched_side_by_side(int size)
    {
        LoopbackModel model = LoopbackModel.GenerateMany("library/many", "latest", 40, size);
        ConcurrentQueue<TimeSpan> asked = new();
        int mostOpen = 0;
        Options.Connections = 8;
        Stopwatch clock = Stopwatch.StartNew();
        Fault((_, answer) =>
        {
            asked.Enqueue(clock.Elapsed);
            mostOpen = Math.Max(mostOpen, Watcher.Meters.Sum(meter => meter.Connections));
            answer.Delay = TimeSpan.FromMilliseconds(Answer);
            answer.BytesPerSecond = 20 * MB;
        });
        await Watcher.SaveAsync(this, model).WaitAsync(Patience);

        await AssertWholeAsync(model);

        // One connection asks again when its answer has come, and no sooner.
        TimeSpan[] times = [.. asked.Order()];
        Assert.Contains(times.Zip(times.Skip(1)), pair => (pair.Second - pair.First).TotalMilliseconds < Answer / 2);

        // Counted here, since a server still serves a connection for a moment that was given up.
        Assert.InRange(mostOpen, 0, 8);
    }

    [Fact]
    public async Task Small_blobs_leave_neither_checkpoints_nor_maps_nor_locks()
    {
        LoopbackModel model = LoopbackModel.GenerateMany("library/many", "latest", 100, 10_000);
        await Watcher.SaveAsync(this, model).WaitAsync(Patience);
        await AssertWholeAsync(model);
        Assert.Equal(["lock"], WorkLeft);
    }

    [Fact]
    public async Task A_small_blob_that_is_cut_stalled_and_refused_comes_in_the_end()
    {
        LoopbackModel model = LoopbackModel.GenerateMany("library/many", "latest", 40, 300_000);
        RegistryOptions.OperationTimeout = TimeSpan.FromSeconds(1);
        Random random = new(4);
        Fault((_, answer) =>
        {
            lock (random)
            {
                switch (random.Next(8))
                {
                    case 0:
                        answer.CutAfter = random.Next(200_000);
                        break;
                    case 1:
                        answer.StallAfter = random.Next(200_000);
                        break;
                    case 2:
                        answer.Become(503, "later");
                        break;
                }
            }
        });
        await Watcher.SaveAsync(this, model).WaitAsync(TimeSpan.FromMinutes(2));
        await AssertWholeAsync(model);
    }

    [Fact]
    public async Task A_wrong_small_blob_is_told_of_and_the_others_come()
    {
        LoopbackModel model = LoopbackModel.GenerateMany("library/many", "latest", 20, 10_000);
        Fault((request, answer) => answer.FlipAt = request.Leaf == model.Blobs[7].Digest ? 5 : null);
        Faults.ModelFaultException fault = await Assert.ThrowsAsync<Faults.ModelFaultException>(() => Watcher.SaveAsync(this, model));
        Assert.Equal(Faults.ModelFault.DigestMismatch, fault.Fault);
        Assert.Equal(model.Blobs[7].Digest, fault.Facts.Digest);
        Assert.Equal(model.Blobs.Count - 1, Directory.GetFiles(Folder.Blobs).Length);
        Assert.False(Directory.Exists(Path.Combine(Folder.Path, "manifests")));
        Assert.Equal(["lock"], WorkLeft);
    }

    [Fact]
    public async Task The_next_manifest_is_asked_for_while_blobs_are_fetched()
    {
        LoopbackModel first = LoopbackModel.Generate("library/first", "latest", 3 * MB, 1);
        LoopbackModel second = LoopbackModel.Generate("library/second", "latest", 3 * MB, 2);
        using ManualResetEventSlim asked = new();
        bool wasAsked = true;
        Registry.Fault = (request, _) =>
        {
            if (request.Path.Contains("/second/manifests/", StringComparison.Ordinal))
            {
                asked.Set();
            }
            else if (request.IsBlob)
            {
                wasAsked &= asked.Wait(Patience);
            }
        };
        await Watcher.SaveAsync(this, first, second);
        Assert.True(wasAsked);
        Assert.Equal(2, Directory.GetFiles(Path.Combine(Folder.Path, "manifests"), "latest", SearchOption.AllDirectories).Length);
    }

    [Fact]
    public async Task A_blob_that_two_models_share_is_fetched_once_and_told_of_twice()
    {
        BlobContent shared = BlobContent.Generate(8 * MB, 1);
        LoopbackModel first = LoopbackModel.WithWeights("library/first", "latest", shared);
        LoopbackModel second = LoopbackModel.WithWeights("library/second", "latest", shared);
        Fault((_, answer) => answer.BytesPerSecond = 20 * MB);
        await Watcher.SaveAsync(this, first, second);
        Assert.Equal(
            [BlobOutcome.Downloaded, BlobOutcome.AlreadyPresent],
            Watcher.All.Where(blob => blob.Layer.Digest == BlobDigest.Parse(shared.Digest)).Select(blob => blob.Outcome));
        Assert.InRange(BlobRequests.Where(request => request.Leaf == shared.Digest).Count(request => request.Range is null), 0, 1);
    }

    [Fact]
    public async Task A_manifest_is_written_only_when_every_blob_of_its_model_is_there()
    {
        LoopbackModel broken = LoopbackModel.GenerateMany("library/broken", "latest", 5, 10_000, seed: 50);
        LoopbackModel sound = LoopbackModel.GenerateMany("library/sound", "latest", 5, 10_000, seed: 80);
        Fault((request, answer) =>
        {
            if (request.Leaf == broken.Blobs[2].Digest)
            {
                answer.Become(404, "{}");
            }
        });
        await Assert.ThrowsAsync<Faults.ModelFaultException>(() => Watcher.SaveAsync(this, broken, sound));
        string manifest = Assert.Single(Directory.GetFiles(Path.Combine(Folder.Path, "manifests"), "latest", SearchOption.AllDirectories));
        Assert.Contains("sound", manifest, StringComparison.Ordinal);
    }

    private async Task AssertWholeAsync(LoopbackModel model)
    {
        ModelStore store = new(Folder.Path);
        foreach (BlobContent blob in model.Blobs)
        {
            byte[] bytes = await File.ReadAllBytesAsync(store.BlobPath(BlobDigest.Parse(blob.Digest)));
            Assert.Equal(BlobDigest.Parse(blob.Digest), BlobDigest.Of(bytes));
        }

        Assert.Equal(model.Blobs.Count, Watcher.All.Count);
    }
}
