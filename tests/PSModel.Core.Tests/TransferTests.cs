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

/// <summary>The engine against a registry that misbehaves on command.</summary>
public sealed class TransferTests : IAsyncLifetime, IDisposable
{
    private const int MB = 1_000_000;

    private readonly TemporaryFolder _folder = new();
    private readonly LoopbackRegistry _registry = LoopbackRegistry.Start();
    private readonly TransferOptions _options = new();
    private readonly RegistryOptions _registryOptions = new()
    {
        RetryInterval = TimeSpan.FromMilliseconds(1),
        OperationTimeout = TimeSpan.FromSeconds(20),
    };

    private readonly Recorder _recorder = new();

    [Fact]
    public async Task Slow_connections_are_joined_by_others_up_to_the_limit()
    {
        _options.Connections = 5;
        int most = 0;
        _recorder.OnLook = meter => most = Math.Max(most, meter.Connections);
        Fault((_, answer) => answer.BytesPerSecond = 6 * MB);

        await SaveAsync(BlobContent.Generate(60 * MB, 1));

        // Resting after the first trials, four lanes are reached for certain, and never more than the limit.
        Assert.InRange(most, 2, 5);
        Assert.All(BlobRequests.Skip(1), request => Assert.NotNull(request.Range));
    }

    [Fact]
    public async Task One_connection_alone_asks_once_for_the_whole_blob()
    {
        _options.Connections = 1;
        await SaveAsync(BlobContent.Generate(80 * MB, 1));
        Assert.Null(Assert.Single(BlobRequests).Range);
    }

    [Fact]
    public async Task A_connection_that_falls_silent_is_replaced_and_loses_nothing()
    {
        _options.Connections = 1;
        _registryOptions.OperationTimeout = TimeSpan.FromSeconds(1);
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
        _options.Connections = 4;
        int answers = 0;
        Fault((_, answer) => answer.BytesPerSecond = Interlocked.Increment(ref answers) == 1 ? 20_000 : 40 * MB);

        SavedBlob saved = await SaveAsync(BlobContent.Generate(70 * MB, 1));

        Assert.True(saved.Elapsed < TimeSpan.FromMinutes(1));
        Assert.Contains(BlobRequests.Skip(1), request => request.Range!.Value.First < _options.Window / 4);
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
        _options.Connections = 1;
        _registryOptions.MaximumRetryCount = 1;
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
            answer.RedirectTo($"http://localhost:{storage.Port}{request.Path}?signature={Generation()}");
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
        _options.Connections = 8;
        _registryOptions.MaximumRetryCount = 0;
        Fault((request, answer) =>
        {
            answer.BytesPerSecond = 10 * MB;
            if (request.Range is not null && Interlocked.Increment(ref open) % 3 == 0)
            {
                answer.Become(503, "too many");
            }
        });
        await SaveAsync(BlobContent.Generate(60 * MB, 1));
        Assert.True(open >= 3);
    }

    [Fact]
    public async Task A_checkpoint_that_does_not_fit_is_gone_before_the_first_byte()
    {
        BlobContent content = BlobContent.Generate(20 * MB, 1);
        await StopAtAsync(content, 5 * MB);
        File.Delete(Assert.Single(Directory.GetFiles(_folder.Work, "*.partial")));
        string checkpoint = Assert.Single(Directory.GetFiles(_folder.Work, "*.checkpoint"));
        bool isGone = false;
        Fault((_, _) => isGone |= !File.Exists(checkpoint));

        await SaveAsync(content);

        Assert.True(isGone);
    }

    [Fact]
    public async Task A_registry_that_ignores_ranges_is_the_case_of_one_connection()
    {
        _options.Connections = 4;
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
    public async Task A_stopped_transfer_goes_on_in_the_next_call_from_the_byte_reached()
    {
        // With one connection all that arrived is in order, and can be kept.
        _options.Connections = 1;
        BlobContent content = BlobContent.Generate(50 * MB, 1);
        using CancellationTokenSource stop = new();
        _recorder.OnLook = meter =>
        {
            if (meter.BytesTransferred > 10 * MB)
            {
                stop.Cancel();
            }
        };
        Fault((_, answer) => answer.BytesPerSecond = 30 * MB);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => SaveAsync(content, stop.Token));
        Assert.False(Directory.Exists(_folder.Blobs));

        _recorder.OnLook = null;
        SavedBlob saved = await SaveAsync(content);

        Assert.InRange(saved.Meter.BytesResumed, 10 * MB, 50 * MB);
        Assert.Equal(50 * MB, saved.Meter.BytesResumed + saved.Meter.BytesReceived);
        Assert.Contains(_recorder.Told, message => message.Contains("kept from an earlier call", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_limit_that_one_connection_does_not_reach_lets_others_join()
    {
        _options.BandwidthLimit = 20 * MB;
        int most = 0;
        _recorder.OnLook = meter => most = Math.Max(most, meter.Connections);
        Fault((_, answer) => answer.BytesPerSecond = 3 * MB);
        await SaveAsync(BlobContent.Generate(45 * MB, 1));
        Assert.InRange(most, 4, 8);
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

        BlockMap map = new BlockMapFile(new ModelStore(_folder.Path), saved.Layer.Digest).TryRead()!;
        byte[] bytes = await File.ReadAllBytesAsync(saved.Path);
        Assert.InRange(first, 1, second - 1);
        Assert.Equal(new[] { first, second }.Where(cut => cut % BlockLayout.BlockSize != 0), map.Layout.Cuts);
        Assert.Equal(bytes.Length, map.Layout.Blocks.Sum(block => block.Length));
        Assert.Equal(map.Layout.Blocks.Select(block => BlockChecksum.Of(bytes.AsSpan((int)block.Start, block.Length))), map.Checksums);
        Assert.InRange(new FileInfo(Path.Combine(_folder.Work, $"{saved.Layer.Digest.FileName}.blocks")).Length, 16 * 30, 1000);
        Assert.Empty(Directory.GetFiles(_folder.Work, "*partial"));
    }

    [Fact]
    public async Task A_damaged_part_of_a_block_map_costs_the_map_and_nothing_else()
    {
        BlobContent content = BlobContent.Generate(20 * MB, 1);
        await StopAtAsync(content, 5 * MB);
        string part = Assert.Single(Directory.GetFiles(_folder.Work, "*.blocks-partial"));
        byte[] checksums = await File.ReadAllBytesAsync(part);
        checksums[20] ^= 1;
        await File.WriteAllBytesAsync(part, checksums);

        SavedBlob saved = await SaveAsync(content);
        Assert.True(saved.Meter.BytesResumed >= 5 * MB);
        Assert.Null(new BlockMapFile(new ModelStore(_folder.Path), saved.Layer.Digest).TryRead());
        Assert.Contains(_recorder.Told, message => message.Contains("block map", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_stop_ends_the_wait_for_a_connection_that_is_silent()
    {
        _options.Connections = 1;
        _registryOptions.OperationTimeout = TimeSpan.FromHours(1);
        using CancellationTokenSource stop = new();
        _recorder.OnLook = meter =>
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
        string checkpoint = Assert.Single(Directory.GetFiles(_folder.Work, "*.checkpoint"));
        await File.WriteAllTextAsync(checkpoint, (await File.ReadAllTextAsync(checkpoint)).Replace("offset", "offsat", StringComparison.Ordinal));

        SavedBlob saved = await SaveAsync(content);

        Assert.Equal(0, saved.Meter.BytesResumed);
        Assert.Contains(_recorder.Told, message => message.Contains("checksum", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_partial_file_shorter_than_its_checkpoint_means_a_fresh_start()
    {
        BlobContent content = BlobContent.Generate(20 * MB, 1);
        await StopAtAsync(content, 5 * MB);
        using (FileStream partial = new(Assert.Single(Directory.GetFiles(_folder.Work, "*.partial")), FileMode.Open))
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
        using (FileStream partial = new(Assert.Single(Directory.GetFiles(_folder.Work, "*.partial")), FileMode.Append))
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
        Recorder second = new();
        TaskCompletionSource underway = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _recorder.OnLook = meter =>
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
        Assert.InRange(_registry.BlobBytesSent, 20 * MB, 25 * MB);
    }

    [Fact]
    public async Task The_bandwidth_limit_holds_over_all_lanes()
    {
        _options.BandwidthLimit = 10 * MB;
        int most = 0;
        _recorder.OnLook = meter => most = Math.Max(most, meter.Connections);
        SavedBlob saved = await SaveAsync(BlobContent.Generate(20 * MB, 1));

        // Where the limit holds the flow, more connections bring nothing.
        Assert.InRange(most, 1, 4);

        // Never faster than allowed: a bound from below, so no matter how slow the machine is.
        Assert.True(saved.Elapsed >= TimeSpan.FromSeconds(1.9));
    }

    [Fact]
    public async Task Where_that_is_asked_for_the_file_is_read_back_before_it_is_committed()
    {
        _options.ReadBack = true;
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
        Assert.Equal(["lock"], Directory.GetFiles(_folder.Work).Select(Path.GetFileName));

        _registry.Fault = null;
        Assert.Equal(0, (await SaveAsync(content)).Meter.BytesResumed);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    public void Dispose() => _folder.Dispose();

    private List<LoopbackRequest> BlobRequests => [.. _registry.Requests.Where(request => request.IsBlob)];

    private void Fault(Action<LoopbackRequest, LoopbackAnswer> fault) => _registry.Fault = (request, answer) =>
    {
        if (request.IsBlob)
        {
            fault(request, answer);
        }
    };

    private async Task StopAtAsync(BlobContent content, long bytes)
    {
        _options.Connections = 1;
        using CancellationTokenSource stop = new();
        _recorder.OnLook = meter =>
        {
            if (meter.BytesTransferred > bytes)
            {
                stop.Cancel();
            }
        };
        Fault((_, answer) => answer.BytesPerSecond = 10 * MB);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => SaveAsync(content, stop.Token));
        _recorder.OnLook = null;
        _registry.Fault = null;
    }

    /// <summary>The bytes that the next call will not fetch again.</summary>
    private long KeptOf(BlobContent content)
    {
        ModelStore store = new(_folder.Path);
        BlobDigest digest = BlobDigest.Parse(content.Digest);
        return new CheckpointFile(store, digest).TryRead(content.Length, PartialBlob.LengthOf(store, digest), out _)!.Offset;
    }

    private async Task<SavedBlob> SaveAsync(BlobContent content, CancellationToken cancellationToken = default)
    {
        await _recorder.SaveAsync(this, content, cancellationToken);
        byte[] hash = System.Security.Cryptography.SHA256.HashData(await File.ReadAllBytesAsync(_folder.Blob(content.Digest), CancellationToken.None));
        Assert.Equal(content.Digest, $"sha256:{Convert.ToHexStringLower(hash)}");
        return _recorder.Saved!;
    }

    /// <summary>Watches one transfer: looks at its counter often, and keeps what it tells.</summary>
    private sealed class Recorder : ISaveObserver
    {
        private ModelFaultException? _fault;

        public Action<TransferMeter>? OnLook { get; set; }

        public List<string> Told { get; } = [];

        public SavedBlob? Saved { get; private set; }

        private TransferMeter? Meter { get; set; }

        public async Task<ModelSaver> SaveAsync(TransferTests tests, BlobContent content, CancellationToken cancellationToken = default)
        {
            string manifest = $$"""{"schemaVersion":2,"layers":[{"mediaType":"application/vnd.ollama.image.model","digest":"{{content.Digest}}","size":{{content.Length}}}]}""";
            LoopbackModel model = LoopbackModel.WithWeights("library/demo", "latest", content).WithManifest(System.Text.Encoding.UTF8.GetBytes(manifest));
            string name = tests._registry.Offer(model);
            using RegistryClient client = new(tests._registryOptions);
            ModelSaver saver = new(client, new ModelStore(tests._folder.Path), tests._options);
            Manifest read = client.GetManifest(ModelName.Parse(name), cancellationToken);
            Task saving = saver.SaveAsync([new ModelRequest(name, _ => read)], [], this, cancellationToken);
            while (await Task.WhenAny(saving, Task.Delay(2, CancellationToken.None)) != saving)
            {
                if (Meter is { } meter)
                {
                    OnLook?.Invoke(meter);
                }
            }

            await saving;
            return _fault is null ? saver : throw _fault;
        }

        public Task<bool> ConfirmBlobAsync(Manifest manifest, Layer layer) => Task.FromResult(true);

        public Task<bool> ConfirmManifestAsync(Manifest manifest, string path) => Task.FromResult(true);

        public void BlobStarted(Manifest manifest, Layer layer, TransferMeter meter)
        {
            _fault = null;
            Meter = meter;
        }

        public void BlobFinished(SavedBlob blob) => Saved = blob;

        public void BlobFailed(Manifest manifest, BlobDigest digest, ModelFaultException fault) => _fault = fault;

        public void ModelRequested(string target)
        {
        }

        public void ModelStarted(Manifest manifest)
        {
        }

        public void ModelEnded(string target, ModelFaultException? fault) => _fault ??= fault;

        public void Tell(string message)
        {
            lock (Told)
            {
                Told.Add(message);
            }
        }
    }
}
