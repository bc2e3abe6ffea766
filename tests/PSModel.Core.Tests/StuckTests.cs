using PSModel.Core.Transfer;
using PSModel.Loopback;

namespace PSModel.Core.Tests;

/// <summary>Whatever the server does, a call comes back: what once hung, or crept, over real connections.</summary>
public sealed class StuckTests : EngineTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task A_head_of_the_line_that_stalls_and_then_is_refused_is_fetched_by_another_lane()
    {
        // The others fill the window and wait; the head reconnects, and is told to come later, once.
        Options.Connections = 8;
        RegistryOptions.OperationTimeout = TimeSpan.FromSeconds(2);
        int answers = 0;
        int refused = 0;
        Fault((request, answer) =>
        {
            answer.BytesPerSecond = 60 * MB;
            bool isHead = (request.Range?.First ?? 0) < 3 * MB;
            if (isHead && Interlocked.Increment(ref answers) == 1)
            {
                answer.StallAfter = 1 * MB;
            }
            else if (isHead && Interlocked.Increment(ref refused) == 1)
            {
                answer.Become(503, "later");
            }
        });

        await SaveAsync(BlobContent.Generate(250 * MB, 1)).WaitAsync(Patience);
        Assert.True(refused > 0);
    }

    [Fact]
    public async Task One_refusal_in_mid_blob_is_not_the_end_of_many_connections()
    {
        Options.Connections = 6;
        int answers = 0;
        int afterwards = 0;
        Watcher.OnLook = meter => afterwards = Volatile.Read(ref answers) > 9 ? Math.Max(afterwards, meter.Connections) : 0;
        Fault((_, answer) =>
        {
            answer.BytesPerSecond = 6 * MB;
            if (Interlocked.Increment(ref answers) == 9)
            {
                answer.Become(400, "no");
            }
        });
        await SaveAsync(BlobContent.Generate(150 * MB, 1)).WaitAsync(Patience);
        Assert.True(answers > 9);
        Assert.InRange(afterwards, 4, 6);
    }

    [Fact]
    public async Task A_server_that_allows_four_connections_gives_a_model_of_many_blobs_over_four()
    {
        Options.Connections = 16;
        int open = 0;
        int served = 0;
        LoopbackModel model = LoopbackModel.GenerateMany("library/many", "latest", 60, 200_000);
        Fault((_, answer) =>
        {
            if (Interlocked.Increment(ref open) > 4)
            {
                answer.Become(429, "too many");
            }
            else
            {
                Interlocked.Increment(ref served);
                Thread.Sleep(10);
            }

            Interlocked.Decrement(ref open);
        });
        await Watcher.SaveAsync(this, model).WaitAsync(Patience);
        Assert.True(served >= model.Blobs.Count);
    }

    [Fact]
    public async Task A_long_Retry_After_is_told_of()
    {
        int answers = 0;
        Fault((_, answer) =>
        {
            if (Interlocked.Increment(ref answers) == 1)
            {
                answer.Become(503, "maintenance");
                answer.Headers["Retry-After"] = "6";
            }
        });
        bool isShown = false;
        Watcher.OnLook = meter => isShown |= meter.ServerWaitEnd > DateTime.UtcNow;
        SavedBlob saved = await SaveAsync(BlobContent.Generate(2 * MB, 1)).WaitAsync(Patience);
        Assert.True(saved.Elapsed > TimeSpan.FromSeconds(5.5));
        Assert.True(isShown);
        Assert.Contains(Watcher.Told, message => message.Contains("left alone for 6 seconds", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_lane_that_becomes_slow_holds_nobody_up()
    {
        // Without help the segment of the slow one would take minutes.
        Options.Connections = 8;
        int answers = 0;
        Fault((_, answer) =>
        {
            answer.BytesPerSecond = 20 * MB;
            if (Interlocked.Increment(ref answers) == 5)
            {
                answer.SlowAfter = 300_000;
                answer.SlowBytesPerSecond = 5_000;
            }
        });
        await SaveAsync(BlobContent.Generate(200 * MB, 1)).WaitAsync(Patience);
        Assert.InRange(Registry.BlobBytesSent, 200 * MB, 220 * MB);
    }
}
