using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Registry;
using PSModel.Core.Store;

namespace PSModel.Core.Transfer;

/// <summary>Writes each model's manifest once every blob of it is there. Thread-safe.</summary>
/// <param name="store">Where they are written.</param>
/// <param name="leftovers">Removed once a model is complete.</param>
/// <param name="fresh">Keeps blobs until their manifest is there.</param>
/// <param name="observer">Asked before and told after each step.</param>
/// <param name="isWanted">Whether manifests are written at all.</param>
/// <param name="removals">Sees that the blobs stay meanwhile.</param>
internal sealed class ManifestWriter(ModelStore store, Leftovers? leftovers, FreshBlobs? fresh, ISaveObserver observer, bool isWanted, RemovalWatch removals)
{
    /// <summary>Another program that writes the same manifest does so once.</summary>
    private const int MostTries = 5;

    private readonly object _gate = new();
    private Task _written = Task.CompletedTask;

    /// <summary>Ends when the manifests of all models whose blobs have ended are written, or failed to be.</summary>
    public Task WhenWritten
    {
        get
        {
            lock (_gate)
            {
                return _written;
            }
        }
    }

    /// <summary>A model's turn has come. A name that this file system cannot hold is told of before anything is fetched.</summary>
    /// <returns>Whether the model can be saved.</returns>
    public bool Begin(ModelPlan model)
    {
        try
        {
            observer.ModelStarted(model.Target, model.Manifest);
            if (isWanted)
            {
                string path = store.Manifests.RequireWritable(model.Manifest.Name);
                if (store.Manifests.IsForLaterOllama(model.Manifest.Name))
                {
                    observer.Warn($"Windows holds no host with a port as the name of a folder, so the manifest of {model.Manifest.Name.Shortest} goes to '{path}'. Ollama 0.33 does not look there, and removes the model's blobs when it starts.");
                }
            }

            if (ForeignModel.LacksTemplate(model.Manifest))
            {
                observer.Warn($"{model.Manifest.Name.Shortest} was packed for other programs, with no template for chats or with one that is not known here. Ollama completes texts with it; for chats, give it a TEMPLATE by a Modelfile and 'ollama create'.");
            }

            return true;
        }
        catch (ModelFaultException fault)
        {
            observer.ModelEnded(model.Target, fault);
            return false;
        }
    }

    /// <summary>A blob has ended.</summary>
    /// <param name="blob">The blob.</param>
    /// <param name="outcome">How it came to be there; <see langword="null"/> where it is not.</param>
    /// <param name="fault">Why it is not, if it failed.</param>
    public void BlobEnded(PlannedBlob blob, BlobOutcome? outcome, ModelFaultException? fault)
    {
        if (fault is not null)
        {
            observer.BlobFailed(blob.Model.Target, blob.Model.Manifest, blob.Digest.ToString(), blob.Meter, fault);
        }
        else if (outcome is { } known)
        {
            fresh?.Add(blob.Digest, blob.NotBefore(known));
            if (blob.WasThere)
            {
                blob.Model.AddPresent(blob.Digest);
            }

            observer.BlobFinished(new SavedBlob(blob.Model.Target, blob.Name, blob.Layer, store.BlobPath(blob.Digest), known, blob.IsReadBack, blob.Meter, blob.Elapsed));
        }

        End(blob.Model, outcome is not null);
    }

    /// <summary>The blobs of a model that are wanted; of what it does not have is told.</summary>
    public IReadOnlyList<Layer> Choose(ModelPlan model, ICollection<BlobDigestPart> only) =>
        model.Manifest.Choose(only, (digest, fault) => observer.BlobFailed(model.Target, model.Manifest, digest, meter: null, fault));

    /// <summary>All blobs of a model have begun.</summary>
    public void ListEnded(ModelPlan model) => End(model, isThere: true);

    private void End(ModelPlan model, bool isThere)
    {
        if (!model.End(isThere))
        {
            return;
        }

        lock (_gate)
        {
            // One after the other: whoever is asked is asked one question at a time.
            _written = FinishAsync(_written, model);
        }
    }

    private async Task FinishAsync(Task before, ModelPlan model)
    {
        await before.ConfigureAwait(false);
        ModelFaultException? fault = null;
        try
        {
            await WriteAsync(model).ConfigureAwait(false);
        }
        catch (ModelFaultException e)
        {
            fault = e;
        }

        observer.ModelEnded(model.Target, fault);
    }

    private async Task WriteAsync(ModelPlan model)
    {
        Manifest manifest = model.Manifest;
        if (!isWanted)
        {
            return;
        }

        if (!await removals.AreAllThereAsync(model, links: null).ConfigureAwait(false))
        {
            observer.Tell($"The manifest of {manifest.Name.Shortest} is not written, since not every blob is there.");
        }
        else if (store.Manifests.IsWritten(manifest))
        {
            leftovers?.Remove(observer.Tell);
            observer.Tell($"{manifest.Name.Shortest} is complete, and its manifest is there.");
        }
        else if (await observer.ConfirmManifestAsync(manifest, store.Manifests.PathOf(manifest.Name)).ConfigureAwait(false))
        {
            await WriteConfirmedAsync(model).ConfigureAwait(false);
        }
    }

    private async Task WriteConfirmedAsync(ModelPlan model)
    {
        Manifest manifest = model.Manifest;
        using BlobLinks links = BlobLinks.Make(store, manifest, observer.Tell);

        // Leave may have taken its time, and from here on what is there stays for an hour at least.
        if (!await removals.AreAllThereAsync(model, links).ConfigureAwait(false))
        {
            return;
        }

        fresh?.Touch();
        Remember(manifest, isInPlace: false);
        if (await TryWriteAsync(model, links).ConfigureAwait(false))
        {
            Remember(manifest, isInPlace: true);
            leftovers?.Remove(observer.Tell);
            observer.Tell($"{manifest.Name.Shortest} is complete; its manifest is written.");
        }
    }

    /// <returns>Whether the manifest is there; not where blobs are gone.</returns>
    private async Task<bool> TryWriteAsync(ModelPlan model, BlobLinks links)
    {
        Manifest manifest = model.Manifest;
        string path = store.Manifests.PathOf(manifest.Name);
        IReadOnlyList<ReplacedManifest>? before = null;
        for (int tries = 0; tries < MostTries; tries++)
        {
            before = store.Manifests.Write(manifest, before);
            observer.Tell($"The manifest is at '{path}'.");
            if (tries == 0)
            {
                await removals.WaitAsync(model).ConfigureAwait(false);
            }

            if (!await removals.AreAllThereAsync(model, links).ConfigureAwait(false))
            {
                // A manifest without its blobs is a model that fails when it is run.
                store.Manifests.Withdraw(manifest, before);
                return false;
            }

            store.Manifests.Uncover(manifest.Name);
            if (store.Manifests.IsWritten(manifest))
            {
                return true;
            }

            observer.Tell($"Another program has changed the manifest of {manifest.Name.Shortest} meanwhile.");
        }

        throw new ModelFaultException(
            ModelFault.BlobInUse,
            $"Another program changes the manifest of {manifest.Name.Shortest} at '{path}' again and again.",
            new FaultFacts { Name = manifest.Name.Shortest, Path = path });
    }

    /// <summary>Where it came from; without it a repair needs -Registry, and that is all.</summary>
    private void Remember(Manifest manifest, bool isInPlace)
    {
        try
        {
            new OriginFile(store, manifest.Name).Write(manifest.From(RegistryEndpoint.OriginOf(manifest)), isInPlace);
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            observer.Tell($"Where {manifest.Name.Shortest} came from could not be written to '{store.Work}': {e.Message}");
        }
    }
}
