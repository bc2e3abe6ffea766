using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Registry;
using PSModel.Core.Store;

namespace PSModel.Core.Transfer;

/// <summary>Sees that the blobs of a model stay in the store while its manifest is written. Thread-safe.</summary>
/// <param name="store">The store.</param>
/// <param name="observer">Told of what another program removed.</param>
/// <param name="removalTime">How long that may take from its look at the manifests to a removal, and from one to the next.</param>
/// <param name="cancellationToken">Ends a wait.</param>
internal sealed class RemovalWatch(ModelStore store, ISaveObserver observer, TimeSpan removalTime, CancellationToken cancellationToken)
{
    /// <summary>Of another program that removes a blob each time that it is put back.</summary>
    private const int MostTries = 5;

    /// <summary>How often it is looked whether blobs go on being removed: a minute, and then the model is looked at as it is.</summary>
    private const int MostLooks = 60;

    /// <summary>A blob that was there an hour ago may be gone: Ollama removes what no manifest names. What is gone and was linked is
    /// put back; of the rest is told.</summary>
    public async Task<bool> AreAllThereAsync(ModelPlan model, BlobLinks? links)
    {
        if (!model.IsSound)
        {
            return false;
        }

        Manifest manifest = model.Manifest;
        List<Layer> gone = FindGone(manifest);
        bool isBack = true;
        for (int tries = 0; tries < MostTries && gone.Count > 0 && links is not null && isBack; tries++)
        {
            isBack = await TryPutBackAsync(model, gone, links).ConfigureAwait(false);

            // What is not put back may have been brought back by another program meanwhile.
            gone = FindGone(manifest);
        }

        foreach (Layer layer in gone)
        {
            observer.BlobFailed(model.Target, manifest, layer.Digest.ToString(), meter: null, new ModelFaultException(
                ModelFault.BlobNotFound,
                $"{layer.Digest} was in the store, and another program removed it while the rest of {manifest.Name.Shortest} was fetched.",
                new FaultFacts { Name = manifest.Name.Shortest, Digest = layer.Digest.ToString(), Path = store.BlobPath(layer.Digest), Remedy = "Run the same command again: it fetches what is missing." }));
        }

        return gone.Count == 0;
    }

    /// <summary>Waits where another program may have decided to remove a blob just before the manifest was there, and goes on for as long
    /// as blobs are removed meanwhile: a clean-up decides on all of them at once.</summary>
    /// <remarks>Whoever removes a model removes its manifest, finds none that names a blob, and only then removes that.</remarks>
    public async Task WaitAsync(ModelPlan model)
    {
        if (AreNamedByOthers(model))
        {
            return;
        }

        observer.Tell($"No other manifest names all that was there of {model.Manifest.Name.Shortest}, so it is looked at once more whether another program was about to remove something.");
        HashSet<string> now = FindBlobs();
        bool isGoingOn = true;
        for (int looks = 0; isGoingOn && looks < MostLooks && !cancellationToken.IsCancellationRequested; looks++)
        {
            HashSet<string> before = now;
            await BlockingWork.SettleAsync(Task.Delay(removalTime, cancellationToken)).ConfigureAwait(false);
            now = FindBlobs();
            isGoingOn = !now.IsSupersetOf(before);
        }
    }

    /// <summary>Whether manifests of other models name all that was there of a model before. Looked at once its own is there: who
    /// looks at the manifests from now on sees that.</summary>
    private bool AreNamedByOthers(ModelPlan model)
    {
        HashSet<BlobDigest> left = [.. model.Present];
        try
        {
            // The store knows no scheme of a name.
            return left.Count == 0 || store.Manifests.ReadAll()
                .Where(other => !string.Equals(other.Name.Shortest, model.Manifest.Name.Shortest, StringComparison.OrdinalIgnoreCase))
                .Any(other =>
                {
                    left.ExceptWith(other.Blobs.Select(layer => layer.Digest));
                    return left.Count == 0;
                });
        }
        catch (ModelFaultException)
        {
            return false;
        }
    }

    private async Task<bool> TryPutBackAsync(ModelPlan model, List<Layer> gone, BlobLinks links)
    {
        HashSet<BlobDigest> present = [.. model.Present];
        List<BlobDigest> back = [];
        foreach (BlobDigest digest in gone.Select(layer => layer.Digest).Distinct())
        {
            if (await links.PutBackAsync(digest, isVerified: !present.Contains(digest), cancellationToken).ConfigureAwait(false))
            {
                back.Add(digest);
            }
        }

        if (back.Count > 0)
        {
            string what = back.Count == 1 ? back[0].ToString() : $"{back.Count} blobs";
            observer.Warn($"Another program removed {what} while the manifest of {model.Manifest.Name.Shortest} was written. What it removed is back.");
        }

        return back.Count > 0;
    }

    private List<Layer> FindGone(Manifest manifest) => [.. manifest.Blobs.Where(layer => !store.Has(layer))];

    private HashSet<string> FindBlobs()
    {
        try
        {
            return [.. FolderEntries.Files(store.Blobs)];
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            return [];
        }
    }
}
