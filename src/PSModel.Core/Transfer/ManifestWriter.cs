using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Registry;
using PSModel.Core.Store;

namespace PSModel.Core.Transfer;

/// <summary>Writes each model's manifest once every blob of it is there. Thread-safe.</summary>
internal sealed class ManifestWriter(ModelStore store, Leftovers? leftovers, FreshBlobs? fresh, ISaveObserver observer, bool isWanted)
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
            observer.BlobFailed(blob.Model.Target, blob.Model.Manifest, blob.Digest.ToString(), fault);
        }
        else if (outcome is { } known)
        {
            fresh?.Add(blob.Digest);
            observer.BlobFinished(new SavedBlob(blob.Model.Target, blob.Name, blob.Layer, store.BlobPath(blob.Digest), known, blob.IsReadBack, blob.Meter, blob.Elapsed));
        }

        End(blob.Model, outcome is not null);
    }

    /// <summary>The blobs of a model that are wanted; of what it does not have is told.</summary>
    public IReadOnlyList<Layer> Choose(ModelPlan model, ICollection<BlobDigestPart> only) =>
        model.Manifest.Choose(only, (digest, fault) => observer.BlobFailed(model.Target, model.Manifest, digest, fault));

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

        if (!AreAllThere(model))
        {
            observer.Tell($"The manifest of {manifest.Name.Shortest} is not written, since not every blob is there.");
        }
        else if (store.Manifests.IsWritten(manifest))
        {
            leftovers?.Remove(observer.Tell);
            observer.Tell($"{manifest.Name.Shortest} is complete, and its manifest is there.");
        }
        else if (await observer.ConfirmManifestAsync(manifest, store.Manifests.PathOf(manifest.Name)).ConfigureAwait(false) && AreAllThere(model))
        {
            // Leave may take its time, and from here on what is there stays for an hour at least.
            fresh?.Touch();
            Remember(manifest);
            Write(model);
        }
    }

    private void Write(ModelPlan model)
    {
        Manifest manifest = model.Manifest;
        string path = store.Manifests.PathOf(manifest.Name);
        for (int tries = 0; tries < MostTries; tries++)
        {
            byte[]? before = store.Manifests.Write(manifest);
            observer.Tell($"The manifest is at '{path}'.");
            if (!AreAllThere(model))
            {
                // A manifest without its blobs is a model that fails when it is run.
                store.Manifests.Withdraw(manifest, before);
                return;
            }

            store.Manifests.Uncover(manifest.Name);
            if (store.Manifests.IsWritten(manifest))
            {
                leftovers?.Remove(observer.Tell);
                observer.Tell($"{manifest.Name.Shortest} is complete; its manifest is written.");
                return;
            }

            observer.Tell($"Another program has changed the manifest of {manifest.Name.Shortest} meanwhile.");
        }

        throw new ModelFaultException(
            ModelFault.BlobInUse,
            $"Another program changes the manifest of {manifest.Name.Shortest} at '{path}' again and again.",
            new FaultFacts { Name = manifest.Name.Shortest, Path = path });
    }

    /// <summary>Where it came from; without it a repair needs -Registry, and that is all.</summary>
    private void Remember(Manifest manifest)
    {
        try
        {
            new OriginFile(store, manifest.Name).Write(manifest.From(RegistryEndpoint.OriginOf(manifest)));
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            observer.Tell($"Where {manifest.Name.Shortest} came from could not be written to '{store.Work}': {e.Message}");
        }
    }

    /// <summary>A blob that was there an hour ago may be gone: Ollama removes what no manifest names.</summary>
    private bool AreAllThere(ModelPlan model)
    {
        if (!model.IsSound)
        {
            return false;
        }

        Manifest manifest = model.Manifest;
        List<Layer> gone = manifest.Blobs.Where(layer => !store.Has(layer)).ToList();
        foreach (Layer layer in gone)
        {
            observer.BlobFailed(model.Target, manifest, layer.Digest.ToString(), new ModelFaultException(
                ModelFault.BlobNotFound,
                $"{layer.Digest} was in the store, and another program removed it while the rest of {manifest.Name.Shortest} was fetched.",
                new FaultFacts { Name = manifest.Name.Shortest, Digest = layer.Digest.ToString(), Path = store.BlobPath(layer.Digest), Remedy = "Run the same command again: it fetches what is missing." }));
        }

        return gone.Count == 0;
    }
}
