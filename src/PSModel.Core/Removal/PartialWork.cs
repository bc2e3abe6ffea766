using PSModel.Core.Names;
using PSModel.Core.Store;

namespace PSModel.Core.Removal;

/// <summary>
/// Unfinished work in the work folders of a store: bytes and checkpoints of blobs underway, manifests and uploads that were, and what
/// is remembered of blobs and models that are gone. What a call holds stays. For one thread.
/// </summary>
/// <param name="store">The store.</param>
/// <param name="removal">Removes files.</param>
/// <param name="observer">Told what stays.</param>
/// <param name="isConfirmed">Asked for leave.</param>
internal sealed class PartialWork(ModelStore store, BlobRemoval removal, IRemovalObserver observer, Func<RemovalStep, bool> isConfirmed)
{
    /// <summary>Removes it.</summary>
    /// <param name="rested">What was touched later stays where no lock tells whether it is in use: another machine writes its
    /// checkpoints every few seconds, and what is remembered of a model is written moments before its manifest.</param>
    /// <param name="cancellationToken">Ends it between two files.</param>
    /// <exception cref="IOException">A folder cannot be read or written.</exception>
    public void Remove(DateTime rested, CancellationToken cancellationToken)
    {
        foreach (IGrouping<BlobDigest, RemovedFile> group in WorkTraces.All(store.Work).ToList())
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (Useless(group) is { Count: > 0 } files && isConfirmed(new RemovalStep(null, group.Key, files, 0)))
            {
                removal.Try(group.Key.ToString(), files[0].Path, () => RemoveHeld(group.Key));
            }
        }

        foreach (IGrouping<BlobDigest, RemovedFile> group in store.OfOthers().SelectMany(other => WorkTraces.All(other.Work)).ToList())
        {
            cancellationToken.ThrowIfCancellationRequested();
            RemoveOfOther(group.Key, Useless(group), rested);
        }

        foreach (string path in new[] { store.Work, store.CommonWork }.Concat(store.Manifests.WorkFolders).Distinct().SelectMany(folder => FolderEntries.Files(folder)).ToList())
        {
            cancellationToken.ThrowIfCancellationRequested();
            RemoveOfModel(path, rested);
        }
    }

    /// <summary>A block map of a blob that is there is no unfinished work.</summary>
    private List<RemovedFile> Useless(IEnumerable<RemovedFile> files) =>
        [.. files.Where(file => file.Kind == RemovedKind.Partial || FileFacts.TryReadEntry(store.BlobPath(file.Digest!)) is null)];

    private void RemoveHeld(BlobDigest digest)
    {
        using BlobLock? held = BlobLock.TryAcquire(store, digest);
        if (held is null)
        {
            observer.Tell($"The unfinished work of {digest} stays: another call is fetching it.");
            return;
        }

        // Looked at again under the lock: whoever had it may have gone on.
        Useless(WorkTraces.All(store.Work).Where(group => group.Key == digest).SelectMany(group => group)).ForEach(removal.Delete);
    }

    private void RemoveOfOther(BlobDigest digest, List<RemovedFile> files, DateTime rested)
    {
        if (files.Exists(file => File.GetLastWriteTimeUtc(file.Path) > rested))
        {
            observer.Tell($"The unfinished work of {digest} in '{Path.GetDirectoryName(files[0].Path)}' stays: another machine touched it within the last hour.");
        }
        else if (files.Count > 0 && isConfirmed(new RemovalStep(null, digest, files, 0)))
        {
            removal.Try(digest.ToString(), files[0].Path, () => files.ForEach(removal.Delete));
        }
    }

    private void RemoveOfModel(string path, DateTime rested)
    {
        bool isTemporary = StoredManifests.IsTemporary(Path.GetFileName(path)) || WorkFile.IsOfUpload(Path.GetFileName(path));
        if (File.GetLastWriteTimeUtc(path) <= rested && (isTemporary || OriginFile.IsUseless(store, path))
            && WorkTraces.TryRead(path, isTemporary ? RemovedKind.Partial : RemovedKind.Origin) is { } file
            && isConfirmed(new RemovalStep(null, null, [file], 0)))
        {
            removal.Try(path, path, () => removal.Delete(file));
        }
    }
}
