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

/// <summary>Connections against a registry that misbehaves on command.</summary>
public sealed class TransferTests : EngineTests
{
    [Fact]
    public async Task Slow_connections_are_joined_by_others_up_to_the_limit()
    {
        Options.Connections = 5;
        int most = 0;
        Watcher.OnLook = meter => most = Math.Max(most, meter.Connections);
        Fault((_, answer) => answer.BytesPerSecond = 6 * MB);

        await SaveAsync(BlobContent.Generate(60 * MB, 1));

        // Resting after the first trials, four lanes are reached for certain, and never more than the limit.
        Assert.InRange(most, 2, 5);
        Assert.All(BlobRequests.Skip(1), request => Assert.NotNull(request.Range));
    }

    [Fact]
    public async Task One_connection_alone_asks_once_for_the_whole_blob()
    {
        Options.Connections = 1;
        await SaveAsync(BlobContent.Generate(80 * MB, 1));
        Assert.Null(Assert.Single(BlobRequests).Range);
    }

    [Fact]
    public async Task A_connection_that_falls_silent_is_replaced_and_loses_nothing()
    {
        Options.Connections = 1;
        RegistryOptions.OperationTimeout = TimeSpan.FromSeconds(1);
        int answers = 0;
        Fault((_, answer) => answer.StallAfter = Interlocked.Increment(ref answers) == 1 ? 3 * MB : null);

        SavedBlob saved = await SaveAsync(BlobContent.Generate(9 * MB, 1));

        Assert.Equal(9 * MB, saved.Meter.BytesReceived);
        Assert.Equal(3 * MB, BlobRequests[1].Range!.Value.First);
        Assert.Equal(1, saved.Meter.RetryCount);
    }

    [Fact]
    public async Task A_slow_head_of_the_line_gets_a_second_connection_for_the_same_bytes()
    {
        // The first connection crawls; whoever comes later is quick. Without help the crawl would take an hour.
        Options.Connections = 4;
        int answers = 0;
        Fault((_, answer) => answer.BytesPerSecond = Interlocked.Increment(ref answers) == 1 ? 20_000 : 40 * MB);

        SavedBlob saved = await SaveAsync(BlobContent.Generate(70 * MB, 1));

        Assert.True(saved.Elapsed < TimeSpan.FromMinutes(1));
        Assert.Contains(BlobRequests.Skip(1), request => request.Range!.Value.First < Options.Window / 4);
    }

    [Fact]
    public async Task Cuts_at_random_places_on_every_connection_end_in_the_right_blob()
    {
        Random random = new(5);
        Fault((_, answer) =>
        {
            lock (random)
            {
                answer.CutAfter = random.Next(300_000, 5 * MB);
                answer.IsCutByReset = random.Next(2) == 0;
                answer.BytesPerSecond = 50 * MB;
            }
        });

        SavedBlob saved = await SaveAsync(BlobContent.Generate(100 * MB, 1));

        Assert.True(saved.Meter.RetryCount > 10);
    }

    [Fact]
    public async Task Progress_resets_the_count_of_retries()
    {
        Options.Connections = 1;
        RegistryOptions.MaximumRetryCount = 1;
        Fault((_, answer) => answer.CutAfter = 500_000);
        SavedBlob saved = await SaveAsync(BlobContent.Generate(5 * MB, 1));
        Assert.Equal(9, saved.Meter.RetryCount);
    }

    [Fact]
    public async Task Retry_After_is_obeyed()
    {
        int answers = 0;
        Fault((_, answer) =>
        {
            if (Interlocked.Increment(ref answers) == 1)
            {
                answer.Become(429, "slowly, please");
                answer.Headers["Retry-After"] = "1";
            }
        });

        // The backoff alone would wait a millisecond.
        SavedBlob saved = await SaveAsync(BlobContent.Generate(MB, 1));
        Assert.True(saved.Elapsed >= TimeSpan.FromMilliseconds(950));
        Assert.Equal(1, saved.Meter.RetryCount);
    }

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(410)]
    public async Task An_expired_address_is_resolved_again_once_for_all_lanes(int expired)
    {
        // The registry redirects to a signed address at another host's name. All signatures expire at once, several times.
        await using LoopbackRegistry storage = LoopbackRegistry.Start();
        BlobContent content = BlobContent.Generate(80 * MB, 1);
        storage.OfferBlob(content.Digest, content);
        long Generation() => storage.BlobBytesSent / (20 * MB);
        int refused = 0;
        int resolved = 0;
        storage.Fault = (request, answer) =>
        {
            answer.BytesPerSecond = 8 * MB;
            if (!request.Path.EndsWith($"?signature={Generation()}", StringComparison.Ordinal))
            {
                Interlocked.Increment(ref refused);
                answer.Become(expired, "<Error><Code>AccessDenied</Code></Error>", "application/xml");
            }
        };
        Fault((request, answer) =>
        {
            Interlocked.Increment(ref resolved);
            answer.RedirectTo($"{storage.OtherAddress.GetLeftPart(UriPartial.Authority)}{request.Path}?signature={Generation()}");
        });

        await SaveAsync(content);

        Assert.True(refused > 0);
        Assert.InRange(resolved, 2, Generation() + 1);
        Assert.DoesNotContain(storage.Requests, request => request.Headers.ContainsKey("authorization"));
    }

    [Fact]
    public async Task A_registry_that_refuses_more_connections_serves_the_blob_over_those_it_has()
    {
        int open = 0;
        Options.Connections = 8;
        RegistryOptions.MaximumRetryCount = 0;
        Fault((request, answer) =>
        {
            answer.BytesPerSecond = 2 * MB;
            if (request.Range is not null && Interlocked.Increment(ref open) is <= 12 and int asked && asked % 3 == 0)
            {
                // Later on it might be the only one that is still needed.
                answer.Become(503, "too many");
            }
        });
        await SaveAsync(BlobContent.Generate(24 * MB, 1));
        Assert.True(open >= 3);
    }

    /// <summary>As a docker-registry does that fetches the blob from elsewhere while it sends it, and once more for each that asks.</summary>
    [Fact]
    public async Task A_registry_that_does_not_say_that_it_sends_parts_is_asked_for_none()
    {
        Fault((_, answer) =>
        {
            answer.SendWhole();
            answer.Headers.Remove("Accept-Ranges");
            answer.BytesPerSecond = 6 * MB;
        });
        await SaveAsync(BlobContent.Generate(12 * MB, 1));
        Assert.Null(Assert.Single(BlobRequests).Range);
    }

    [Fact]
    public async Task A_registry_that_ignores_ranges_is_the_case_of_one_connection()
    {
        Options.Connections = 4;
        Fault((_, answer) =>
        {
            answer.SendWhole();
            answer.BytesPerSecond = 20 * MB;
        });

        SavedBlob saved = await SaveAsync(BlobContent.Generate(40 * MB, 1));

        // The lane that finds out gives up at once: hardly a byte comes twice.
        Assert.InRange(saved.Meter.BytesReceived, 40 * MB, 44 * MB);
        Assert.InRange(BlobRequests.Count, 1, 3);
    }

    [Fact]
    public async Task A_limit_that_one_connection_does_not_reach_lets_others_join()
    {
        Options.BandwidthLimit = 20 * MB;
        int most = 0;
        Watcher.OnLook = meter => most = Math.Max(most, meter.Connections);
        Fault((_, answer) => answer.BytesPerSecond = 3 * MB);
        SavedBlob saved = await SaveAsync(BlobContent.Generate(45 * MB, 1));

        // Seven reach the limit; on a machine that stands still for seconds none brings 3 MB/s, and more are right.
        Assert.InRange(most, 4, saved.Elapsed < TimeSpan.FromSeconds(4) ? 8 : Options.Connections);
    }

    [Fact]
    public async Task The_bandwidth_limit_holds_over_all_lanes()
    {
        Options.BandwidthLimit = 10 * MB;
        int most = 0;
        Watcher.OnLook = meter => most = Math.Max(most, meter.Connections);
        SavedBlob saved = await SaveAsync(BlobContent.Generate(20 * MB, 1));

        // Where the limit holds the flow, more connections bring nothing.
        Assert.InRange(most, 1, 4);

        // Never faster than allowed: a bound from below, so no matter how slow the machine is.
        Assert.True(saved.Elapsed >= TimeSpan.FromSeconds(1.9));
    }
}
