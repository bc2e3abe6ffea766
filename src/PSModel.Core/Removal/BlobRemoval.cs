using PSModel.Core.Faults;
using PSModel.Core.Names;
using PSModel.Core.Store;

namespace PSModel.Core.Removal;

/// <summary>
/// Removes blobs that no manifest names, while other programs write some. Each is locked and set aside; then the manifests are looked
/// at once more, and what one of them names by now is put back. Whoever writes a manifest and then looks whether its blobs are there
/// sees that one is not, or is seen here. For one thread.
/// </summary>
internal sealed class BlobRemoval(ModelStore store, IRemovalObserver observer)
{
    /// <summary>Blobs aside at a time: each holds a lock, and so a file.</summary>
    public const int Most = 128;

    /// <summary>Removes blobs, their block maps, and what was being fetched of them.</summary>
    /// <param name="blobs">The blobs; those that are held, or that something else than a file stands for, stay.</param>
    /// <param name="youngest">Those that were written later stay; <see langword="null"/> where their age is no matter.</param>
    /// <param name="cancellationToken">Ends it between two files.</param>
    /// <exception cref="ModelFaultException">What is needed cannot be told any more; nothing else is removed.</exception>
    public void Remove(IReadOnlyCollection<BlobCandidate> blobs, DateTime? youngest, CancellationToken cancellationToken)
    {
        for (int done = 0; done < blobs.Count; done += Most)
        {
            RemoveSome([.. blobs.Skip(done).Take(Most)], youngest, cancellationToken);
        }
    }

    /// <summary>Removes a file that nobody needs.</summary>
    public void Delete(RemovedFile file)
    {
        HeldFile.Try(file.Path, () => File.Delete(file.Path));
        observer.Removed(file);
    }

    /// <summary>What removes the blobs of a store that no manifest names: whole, so that it does that wherever it is pasted.</summary>
    public static string CommandFor(ModelStore store) => $"Remove-ModelBlob -Unused -StorePath {SaveCommand.Quote(store.Root)}";

    /// <summary>Does a step with a file; what fails is told.</summary>
    /// <param name="target">The digest of its blob, or its path.</param>
    /// <param name="path">The file.</param>
    /// <param name="step">The step.</param>
    /// <param name="model">The model whose blob it is, where it is one.</param>
    /// <returns>Whether it succeeded.</returns>
    public bool Try(string target, string path, Action step, ModelName? model = null)
    {
        try
        {
            StoreFault.Guard(store, path, step);
            return true;
        }
        catch (ModelFaultException fault)
        {
            fault.Facts.Remedy ??= fault.Fault == ModelFault.BlobInUse ? $"Close the program that holds it, or stop the model in Ollama; then run \"{CommandFor(store)}\"." : null;
            observer.Failed(target, model, fault);
            return false;
        }
    }

    private void RemoveSome(List<BlobCandidate> blobs, DateTime? youngest, CancellationToken cancellationToken)
    {
        Dictionary<BlobCandidate, BlobLock> held = [];
        try
        {
            foreach (BlobCandidate blob in blobs)
            {
                cancellationToken.ThrowIfCancellationRequested();
                SetAside(blob, youngest, held);
            }

            if (held.Count == 0)
            {
                return;
            }

            observer.Tell($"{held.Count} blob{(held.Count == 1 ? " is" : "s are")} set aside in '{store.Work}', and the manifests are looked at once more.");
            HashSet<BlobDigest> named = ManifestCensus.Take(store).Named();
            WorkTraces traces = WorkTraces.Look(store);
            foreach (BlobCandidate blob in held.Keys.ToList())
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (named.Contains(blob.Digest))
                {
                    observer.Tell($"{blob.Digest} stays: another model needs it by now.");
                }
                else
                {
                    Try(blob.Digest.ToString(), store.BlobPath(blob.Digest), () => DeleteAside(blob, traces), blob.Name);
                }
            }
        }
        finally
        {
            foreach (KeyValuePair<BlobCandidate, BlobLock> pair in held)
            {
                using (pair.Value)
                {
                    Try(pair.Key.Digest.ToString(), store.BlobPath(pair.Key.Digest), () => BlobAside.PutBack(store, pair.Key.Digest), pair.Key.Name);
                }
            }
        }
    }

    private void SetAside(BlobCandidate blob, DateTime? youngest, Dictionary<BlobCandidate, BlobLock> held)
    {
        string path = store.BlobPath(blob.Digest);
        BlobLock? taken = null;
        try
        {
            Try(blob.Digest.ToString(), path, () =>
            {
                taken = BlobLock.TryAcquire(store, blob.Digest);
                if (taken is null)
                {
                    observer.Tell($"{blob.Digest} stays: another call is fetching or removing it.");
                }
                else if (FileFacts.TryReadEntry(path) is { } there && !there.IsFile)
                {
                    observer.Warn($"'{path}' stays: it is {(there.IsLink ? "a link" : "a folder")}, and no file.");
                }
                else if (youngest is { } limit && File.Exists(path) && File.GetLastWriteTimeUtc(path) > limit)
                {
                    observer.Tell($"{blob.Digest} stays: it was written just now.");
                }
                else
                {
                    SetAside(blob.Digest, path);
                    held[blob] = taken;
                    taken = null;
                }
            }, blob.Name);
        }
        finally
        {
            taken?.Dispose();
        }
    }

    private void SetAside(BlobDigest digest, string path)
    {
        try
        {
            BlobAside.Put(store, digest);
        }
        catch (FileNotFoundException) when (FileFacts.TryReadEntry(path) is null)
        {
            // It is gone, or never came; what is left of it may be of no use all the same.
        }
    }

    private void DeleteAside(BlobCandidate blob, WorkTraces traces)
    {
        if (WorkTraces.TryRead(BlobAside.PathOf(store, blob.Digest), RemovedKind.Blob, blob.Name, blob.Digest, blob.MediaType) is { } aside)
        {
            HeldFile.Try(aside.Path, () => File.Delete(aside.Path));
            observer.Removed(aside with { Path = store.BlobPath(blob.Digest) });
        }

        if (FileFacts.TryReadEntry(store.BlobPath(blob.Digest)) is null)
        {
            traces.Of(blob.Digest).ForEach(file => Delete(file with { Name = blob.Name }));
        }
    }
}
