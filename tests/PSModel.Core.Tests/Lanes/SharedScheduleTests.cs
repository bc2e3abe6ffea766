using System.Collections.Concurrent;
using PSModel.Core.Buffers;
using PSModel.Core.Lanes;
using PSModel.Core.Manifests;
using PSModel.Core.Metering;
using PSModel.Core.Names;
using PSModel.Core.Registry;
using PSModel.Core.Scheduling;
using PSModel.Core.Sources;
using PSModel.TestParts;

namespace PSModel.Core.Tests.Lanes;

/// <summary>Lanes that sleep are woken by what they wait for: here nothing else wakes them.</summary>
public sealed class SharedScheduleTests
{
    private const long MiB = 1024 * 1024;
    private const long Size = 40 * MiB;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly BlockingCollection<Chunk> _delivered = [];

    /// <summary>Once: it slept until the flow was looked at again, and hash and disk had nothing to do.</summary>
    [Fact]
    public async Task A_lane_that_waits_for_hash_and_disk_goes_on_when_they_have_room()
    {
        using CancellationTokenSource stop = new();
        ScheduleOptions options = new() { Lanes = 1, Buffers = 64 };
        SharedSchedule schedule = new(options, Ignore, Ignore, stop.Token, longestSleep: int.MaxValue);
        BlobFetch blob = new(new Layer(BlobDigest.Of([]), Size, string.Empty), [new ByteRange(0, Size)], isSmall: false, hasCheckpoints: false, new MadeBlob(new byte[Size]), new TransferMeter(Size), _delivered.Add);
        schedule.Add(blob);
        Lane lane = schedule.TryEnter(() => new Lane(schedule, new RateLimiter(0)))!;
        Task running = BlockingWork.RunAsync(() => lane.Run(stop.Token));

        try
        {
            await UseUpAsync(schedule, blob, lane, options.Window / 8);
        }
        finally
        {
            await stop.CancelAsync();
            schedule.Wake();
            await running;
            lane.Dispose();
        }
    }

    /// <summary>Takes as much as makes a lane wait before it begins with more, and then uses it up at once.</summary>
    private async Task UseUpAsync(SharedSchedule schedule, BlobFetch blob, Lane lane, long atOnce)
    {
        for (long used = 0; used < Size;)
        {
            List<Chunk> chunks = [];
            for (long held = 0; held < atOnce && used < Size;)
            {
                Assert.True(_delivered.TryTake(out Chunk? chunk, Patience), $"Nothing comes after {used} bytes.");
                chunks.Add(chunk);
                held += chunk.Length;
                used += chunk.Length;
            }

            await Until.HoldsAsync(() => lane.Schedule.Phase == LanePhase.Free);
            chunks.ForEach(chunk => schedule.Release(blob, chunk));
        }
    }

    private static void Ignore(string text)
    {
    }
}
