using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Metering;
using PSModel.Core.Names;
using PSModel.Core.Publishing;
using PSModel.Core.Registry;
using PSModel.Core.Store;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Core.Tests.Publishing;

/// <summary>A store with models to publish.</summary>
public abstract class PublishTests : IDisposable, IPublishObserver
{
    private protected const int MB = 1_000_000;
    private protected const int Unit = 1024 * 1024;

    private readonly object _gate = new();

    internal TemporaryFolder Folder { get; } = new();

    internal PublishOptions Options { get; } = new() { LargestChunk = 2 * Unit };

    internal RegistryOptions RegistryOptions { get; } = new()
    {
        RetryInterval = TimeSpan.FromMilliseconds(1),
        OperationTimeout = TimeSpan.FromSeconds(20),
    };

    private protected List<PublishedBlob> Published { get; } = [];

    private protected List<ModelFaultException> Faults { get; } = [];

    private protected List<string> Told { get; } = [];

    private protected List<TransferMeter> Meters { get; } = [];

    private protected string StorePath => Path.Combine(Folder.Path, "store");

    private protected Func<Layer, bool> MayPublish { get; set; } = _ => true;

    /// <summary>Called before the manifest is written.</summary>
    private protected Action OnManifest { get; set; } = () => { };

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(isDisposing: true);
        Folder.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Lets go of what a test class holds.</summary>
    protected virtual void Dispose(bool isDisposing)
    {
    }

    /// <summary>Puts a model into the store, as one of a registry.</summary>
    /// <returns>Its name.</returns>
    private protected string Put(LoopbackModel model, Uri registry)
    {
        OllamaStore store = new(StorePath);
        store.PutBlobs(model);
        store.PutManifest(model.Manifest, [registry.Authority, .. model.Name.Split('/'), model.Tag]);
        return $"{registry.GetLeftPart(UriPartial.Authority)}/{model.Name}:{model.Tag}";
    }

    private protected string BlobFile(BlobContent blob) => Path.Combine(StorePath, "blobs", blob.Digest.Replace(':', '-'));

    /// <summary>How many bytes of a blob have been sent in this call.</summary>
    private protected long SentOf(BlobContent blob)
    {
        lock (_gate)
        {
            return Meters.Where(meter => meter.TotalBytes == blob.Length).Sum(meter => meter.BytesSent);
        }
    }

    private protected async Task PublishAsync(string[] names, Func<RegistryClient, PublishDestination>? destination = null, string[]? only = null, CancellationToken cancellationToken = default)
    {
        Published.Clear();
        Faults.Clear();
        using RegistryClient client = new(RegistryOptions);
        ModelPublisher publisher = new(new ModelStore(StorePath), destination?.Invoke(client) ?? new RegistryDestination(client, Options), Options);
        await publisher.PublishAsync([.. names.Select(name => new PublishRequest(name, name))], [.. (only ?? []).Select(BlobDigestPart.Parse)], this, cancellationToken);
    }

    private protected Task PublishAsync(params string[] names) => PublishAsync(names, destination: null);

    private protected string Digests(PublishOutcome outcome) => Texts(Published.Where(blob => blob.Outcome == outcome).Select(blob => blob.Layer.Digest.ToString()));

    private protected static string Digests(LoopbackModel model) => Texts(model.Blobs.Select(blob => blob.Digest));

    /// <summary>The manifest as a registry serves it.</summary>
    private protected static async Task<byte[]> ServedAsync(string address)
    {
        using HttpClient http = new();
        http.DefaultRequestHeaders.TryAddWithoutValidation("Accept", "application/vnd.docker.distribution.manifest.v2+json");
        return await http.GetByteArrayAsync(new Uri(address));
    }

    /// <summary>Saves a model into another store, and compares each byte.</summary>
    private protected async Task RequireSavedAsync(LoopbackModel model, string name)
    {
        using TemporaryFolder other = new();
        using RegistryClient client = new(RegistryOptions);
        TransferWatcher watcher = new();
        await new Transfer.ModelSaver(client, new ModelStore(other.Path), new Transfer.TransferOptions()).SaveAsync([new Transfer.ModelRequest(name, token => client.GetManifest(ModelName.Parse(name), token))], [], watcher, CancellationToken.None);
        Assert.All(model.Blobs, blob => Assert.Equal(blob.Digest, other.DigestOf(blob.Digest)));
        Assert.Equal(model.Manifest, new ModelStore(other.Path).Manifests.Read(ModelName.Parse(name)).GetBytes());
    }

    private static string Texts(IEnumerable<string> digests) => string.Join(" ", digests.Order(StringComparer.Ordinal));

    Task<bool> IModelObserver.ConfirmBlobAsync(Manifest manifest, Layer layer) => Task.FromResult(MayPublish(layer));

    Task<bool> IModelObserver.ConfirmManifestAsync(Manifest manifest, string path)
    {
        OnManifest();
        return Task.FromResult(true);
    }

    void IModelObserver.ModelRequested(string target)
    {
    }

    void IModelObserver.ModelStarted(string target, Manifest manifest)
    {
    }

    void IModelObserver.ModelEnded(string target, ModelFaultException? fault) => Note(fault);

    void IModelObserver.BlobStarted(Manifest manifest, Layer layer, TransferMeter meter)
    {
        lock (_gate)
        {
            Meters.Add(meter);
        }
    }

    void IModelObserver.BlobFailed(string target, Manifest manifest, string digest, TransferMeter? meter, ModelFaultException fault) => Note(fault);

    void IModelObserver.Warn(string message) => Tell(message);

    void IModelObserver.Tell(string message) => Tell(message);

    void IPublishObserver.BlobFinished(PublishedBlob blob)
    {
        lock (_gate)
        {
            Published.Add(blob);
        }
    }

    private void Tell(string message)
    {
        lock (_gate)
        {
            Told.Add(message);
        }
    }

    private void Note(ModelFaultException? fault)
    {
        lock (_gate)
        {
            Faults.AddRange(fault is null ? [] : [fault]);
        }
    }
}
