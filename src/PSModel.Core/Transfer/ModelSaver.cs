using System.Diagnostics;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Registry;
using PSModel.Core.Store;

namespace PSModel.Core.Transfer;

/// <summary>
/// Brings models into a store: each blob, then the manifest. For one model at a time; one saver for a whole call, so that
/// connections, buffers and the bandwidth limit are shared.
/// </summary>
public sealed class ModelSaver
{
    /// <summary>Makes a saver; nothing is opened or written yet.</summary>
    public ModelSaver(RegistryClient client, ModelStore store, TransferOptions options)
    {
        Client = client;
        Store = store;
        Options = options;
        Limiter = new RateLimiter(options.BandwidthLimit);
    }

    internal RegistryClient Client { get; }

    internal ModelStore Store { get; }

    internal TransferOptions Options { get; }

    internal RateLimiter Limiter { get; }

    internal BufferPool Buffers { get; } = new();

    /// <summary>Saves a model. A blob that fails is told to the observer, and the next one goes on.</summary>
    /// <param name="manifest">The model's manifest, written as it is when every blob is there.</param>
    /// <param name="only">Only these blobs, and then no manifest; none for the whole model.</param>
    /// <param name="observer">Asked before and told after each step.</param>
    /// <param name="cancellationToken">Stops the transfer; what has arrived is kept for a later call.</param>
    /// <exception cref="ModelFaultException">The manifest could not be written.</exception>
    public async Task SaveAsync(Manifest manifest, ICollection<BlobDigest> only, ISaveObserver observer, CancellationToken cancellationToken)
    {
        bool isWhole = only.Count == 0;
        bool isComplete = true;

        // A name that this file system cannot hold is told of before anything is fetched for it.
        string manifestPath = isWhole ? Store.ManifestPath(manifest.Name) : string.Empty;
        foreach (Layer layer in manifest.Blobs.Where(layer => isWhole || only.Contains(layer.Digest)))
        {
            isComplete &= await SaveBlobAsync(manifest, layer, observer, cancellationToken).ConfigureAwait(false);
        }

        if (!isWhole)
        {
            ReportUnknown(manifest, only, observer);
            return;
        }

        isComplete = isComplete && AreAllThere(manifest, observer);
        if (!isComplete)
        {
            observer.Tell($"The manifest of {manifest.Name.Shortest} is not written, since not every blob is there.");
        }
        else if (await observer.ConfirmManifestAsync(manifest, manifestPath).ConfigureAwait(false))
        {
            Store.WriteManifest(manifest);
            observer.Tell($"{manifest.Name.Shortest} is complete; its manifest is written.");
        }
    }

    /// <summary>A blob that was there an hour ago may be gone: Ollama removes what no manifest names.</summary>
    private bool AreAllThere(Manifest manifest, ISaveObserver observer)
    {
        List<Layer> gone = manifest.Blobs.Where(layer => !Store.Has(layer)).ToList();
        foreach (Layer layer in gone)
        {
            observer.BlobFailed(layer.Digest, new ModelFaultException(
                ModelFault.BlobNotFound,
                $"{layer.Digest} was in the store, and another program removed it while the rest of {manifest.Name.Shortest} was fetched. Run the same command again.",
                new FaultFacts { Name = manifest.Name.Shortest, Digest = layer.Digest.ToString(), Path = Store.BlobPath(layer.Digest) }));
        }

        return gone.Count == 0;
    }

    private static void ReportUnknown(Manifest manifest, ICollection<BlobDigest> only, ISaveObserver observer)
    {
        foreach (BlobDigest digest in only.Except(manifest.Blobs.Select(layer => layer.Digest)))
        {
            observer.BlobFailed(digest, manifest.HasNo(digest));
        }
    }

    private async Task<bool> SaveBlobAsync(Manifest manifest, Layer layer, ISaveObserver observer, CancellationToken cancellationToken)
    {
        bool isPresent = !Options.Force && Store.Has(layer);
        bool isRepair = Options.Repair && !Options.Force && Store.BlobSize(layer.Digest) is not null;
        if (!isPresent && !isRepair && !await observer.ConfirmBlobAsync(manifest, layer).ConfigureAwait(false))
        {
            return false;
        }

        Stopwatch clock = Stopwatch.StartNew();
        TransferMeter meter = new(layer.Size);
        observer.BlobStarted(manifest, layer, meter);
        try
        {
            SavedBlob? saved = await BringAsync(manifest, layer, isRepair, meter, clock, observer, cancellationToken).ConfigureAwait(false);
            if (saved is null)
            {
                return false;
            }

            observer.BlobFinished(saved);
            return true;
        }
        catch (ModelFaultException fault)
        {
            observer.BlobFailed(layer.Digest, fault);
            return false;
        }
    }

    private async Task<SavedBlob?> BringAsync(Manifest manifest, Layer layer, bool isRepair, TransferMeter meter, Stopwatch clock, ISaveObserver observer, CancellationToken cancellationToken)
    {
        BlobOutcome? outcome;
        bool isReadBack;
        if (isRepair)
        {
            BlobRepair repair = new(this, manifest, layer, meter, observer.Tell);
            outcome = await repair.RunAsync(() => observer.ConfirmBlobAsync(manifest, layer), cancellationToken).ConfigureAwait(false);
            isReadBack = repair.IsReadBack;
        }
        else
        {
            BlobDownload download = new(this, manifest, layer, Options.Force, meter, observer.Tell);
            outcome = await download.RunAsync(cancellationToken).ConfigureAwait(false);
            isReadBack = outcome == BlobOutcome.Downloaded && Options.ReadBack;
        }

        return outcome is null ? null : new SavedBlob(manifest.Name, layer, Store.BlobPath(layer.Digest), outcome.Value, isReadBack, meter, clock.Elapsed);
    }
}
