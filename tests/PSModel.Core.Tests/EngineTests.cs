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

/// <summary>The engine, a store, and a registry that misbehaves on command.</summary>
public abstract class EngineTests : IAsyncLifetime, IDisposable
{
    private protected const int MB = 1_000_000;

    /// <summary>Makes the store's folder.</summary>
    /// <param name="parent">Below what; the system's folder for temporary files where nothing is said.</param>
    protected EngineTests(string? parent = null) => Folder = new TemporaryFolder(parent);

    internal TemporaryFolder Folder { get; }

    internal LoopbackRegistry Registry { get; } = LoopbackRegistry.Start();

    internal TransferOptions Options { get; } = new() { RemovalTime = TimeSpan.FromMilliseconds(20) };

    internal RegistryOptions RegistryOptions { get; } = new()
    {
        RetryInterval = TimeSpan.FromMilliseconds(1),
        OperationTimeout = TimeSpan.FromSeconds(20),
    };

    private protected TransferWatcher Watcher { get; } = new();

    /// <inheritdoc/>
    public Task InitializeAsync() => Task.CompletedTask;

    /// <inheritdoc/>
    public async Task DisposeAsync() => await Registry.DisposeAsync();

    /// <inheritdoc/>
    public virtual void Dispose()
    {
        Folder.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected List<LoopbackRequest> BlobRequests => [.. Registry.Requests.Where(request => request.IsBlob)];

    /// <summary>The names of what lies in the work folder, in order, but for where models came from.</summary>
    private protected IEnumerable<string?> WorkLeft => Directory.GetFiles(Folder.Work)
        .Select(Path.GetFileName)
        .Where(name => !name!.StartsWith("origin-", StringComparison.Ordinal))
        .OrderBy(name => name, StringComparer.Ordinal);

    private protected void Fault(Action<LoopbackRequest, LoopbackAnswer> fault) => Registry.Fault = (request, answer) =>
    {
        if (request.IsBlob)
        {
            fault(request, answer);
        }
    };

    private protected async Task StopAtAsync(BlobContent content, long bytes)
    {
        Options.Connections = 1;
        using CancellationTokenSource stop = new();
        Watcher.OnLook = meter =>
        {
            if (meter.BytesTransferred > bytes)
            {
                stop.Cancel();
            }
        };
        Fault((_, answer) =>
        {
            // However late the look is, the blob has not ended meanwhile.
            answer.BytesPerSecond = 10 * MB;
            answer.StallAfter = bytes + (MB / 2);
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => SaveAsync(content, stop.Token));
        Watcher.OnLook = null;
        Registry.Fault = null;
    }

    /// <summary>The bytes that the next call will not fetch again.</summary>
    private protected long KeptOf(BlobContent content)
    {
        ModelStore store = new(Folder.Path);
        BlobDigest digest = BlobDigest.Parse(content.Digest);
        return new CheckpointFile(store, digest).TryRead(content.Length, PartialBlob.LengthOf(store, digest), out _)!.Offset;
    }

    private protected async Task<SavedBlob> SaveAsync(BlobContent content, CancellationToken cancellationToken = default)
    {
        await Watcher.SaveAsync(this, content, cancellationToken);
        Assert.Equal(content.Digest, Folder.DigestOf(content.Digest));
        return Watcher.Saved!;
    }
}
