using System.Collections.Concurrent;
using PSModel.Core.Blocks;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Metering;
using PSModel.Core.Names;
using PSModel.Core.Registry;
using PSModel.Core.Sources;
using PSModel.Core.Store;
using PSModel.Core.Transfer;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Core.Tests;

/// <summary>Watches one transfer: looks at its counter often, and keeps what it tells.</summary>
internal sealed class TransferWatcher : ISaveObserver
{
    private ModelFaultException? _fault;

    public Action<TransferMeter>? OnLook { get; set; }

    /// <summary>Called with each blob that came into the store, on the thread that brought it.</summary>
    public Action<SavedBlob>? OnFinished { get; set; }

    /// <summary>Which manifest of a list is saved.</summary>
    public string? Runner { get; set; }

    /// <summary>Called when leave is asked for to write a manifest.</summary>
    public Action? OnConfirmManifest { get; set; }

    /// <summary>Called with each sentence, on the thread that tells it.</summary>
    public Action<string>? OnTold { get; set; }

    public List<string> Told { get; } = [];

    /// <summary>What of it was told as a warning.</summary>
    public List<string> Warnings { get; } = [];

    public SavedBlob? Saved { get; private set; }

    /// <summary>The counter of each blob whose turn has come.</summary>
    public ConcurrentBag<TransferMeter> Meters { get; } = [];

    private TransferMeter? Meter { get; set; }

    public async Task<ModelSaver> SaveAsync(EngineTests tests, BlobContent content, CancellationToken cancellationToken = default)
    {
        string name = tests.Registry.Offer(LoopbackModel.WithWeightsAlone("library/demo", "latest", content));
        _fault = null;

        // That of an earlier save would be looked at.
        Meter = null;
        using RegistryClient client = new(tests.RegistryOptions);
        ModelSaver saver = new(client, new ModelStore(tests.Folder.Path), tests.Options);
        Manifest read = client.GetManifest(ModelName.Parse(name), cancellationToken);
        await WatchAsync(saver.SaveAsync([new ModelRequest(name, _ => read)], [], this, cancellationToken));
        return saver;
    }

    /// <summary>Saves models from a source, in one call.</summary>
    public async Task SaveAsync(EngineTests tests, ModelSource source, IReadOnlyList<ModelRequest> requests, CancellationToken cancellationToken)
    {
        _fault = null;
        Meter = null;
        await WatchAsync(new ModelSaver(source, new ModelStore(tests.Folder.Path), tests.Options).SaveAsync(requests, [], this, cancellationToken));
    }

    private async Task WatchAsync(Task saving)
    {
        while (await Task.WhenAny(saving, Task.Delay(2, CancellationToken.None)) != saving)
        {
            if (Meter is { } meter)
            {
                OnLook?.Invoke(meter);
            }
        }

        await saving;
        if (_fault is not null)
        {
            throw _fault;
        }
    }

    /// <summary>Every blob that came into the store, in the order in which they were told of.</summary>
    public List<SavedBlob> All { get; } = [];

    /// <summary>Saves models as they are offered, in one call.</summary>
    public Task SaveAsync(EngineTests tests, params LoopbackModel[] models) => SaveAsync(tests, [.. models.Select(tests.Registry.Offer)]);

    /// <summary>Saves models by their names, in one call.</summary>
    public async Task SaveAsync(EngineTests tests, params string[] names)
    {
        using RegistryClient client = new(tests.RegistryOptions);
        List<ModelRequest> requests = names
            .Select(name => new ModelRequest(name, token => client.GetManifest(ModelName.Parse(name), origin: null, Runner, token)))
            .ToList();
        await new ModelSaver(client, new ModelStore(tests.Folder.Path), tests.Options).SaveAsync(requests, [], this, CancellationToken.None);
        if (_fault is not null)
        {
            throw _fault;
        }
    }

    public Task<bool> ConfirmBlobAsync(Manifest manifest, Layer layer) => Task.FromResult(true);

    public Task<bool> ConfirmManifestAsync(Manifest manifest, string path)
    {
        OnConfirmManifest?.Invoke();
        return Task.FromResult(true);
    }

    public void BlobStarted(Manifest manifest, Layer layer, TransferMeter meter)
    {
        Meters.Add(meter);
        Meter = meter;
    }

    public void BlobFinished(SavedBlob blob)
    {
        lock (All)
        {
            All.Add(blob);
        }

        Saved = blob;
        OnFinished?.Invoke(blob);
    }

    public void BlobFailed(string target, Manifest manifest, string digest, TransferMeter? meter, ModelFaultException fault) => _fault = fault;

    public void ModelRequested(string target)
    {
    }

    public void ModelStarted(string target, Manifest manifest)
    {
    }

    public void ModelEnded(string target, ModelFaultException? fault) => _fault ??= fault;

    public void Warn(string message)
    {
        lock (Warnings)
        {
            Warnings.Add(message);
        }

        Tell(message);
    }

    public void Tell(string message)
    {
        lock (Told)
        {
            Told.Add(message);
        }

        OnTold?.Invoke(message);
    }
}
