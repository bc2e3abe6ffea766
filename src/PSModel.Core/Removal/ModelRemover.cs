using PSModel.Core.Faults;
using PSModel.Core.Names;
using PSModel.Core.Store;

namespace PSModel.Core.Removal;

/// <summary>
/// Removes from a store: a model with the blobs that no other one needs, blobs that no manifest names, and unfinished work. Other
/// programs may work on the store meanwhile. At every moment each manifest has its blobs, as far as they were there. For one thread.
/// </summary>
public sealed class ModelRemover
{
    /// <summary>Ollama's own rule: what is younger may be waiting for its manifest.</summary>
    private static readonly TimeSpan Young = TimeSpan.FromHours(1);

    private readonly ModelStore _store;
    private readonly IRemovalObserver _observer;
    private readonly bool _isDryRun;
    private readonly BlobRemoval _removal;

    /// <summary>Files that would be gone by now if this were no dry run.</summary>
    private readonly HashSet<string> _presumedGone = [];

    private bool _isSettled;

    /// <summary>Makes a remover; nothing is looked at yet.</summary>
    /// <param name="store">The store.</param>
    /// <param name="observer">Asked for leave, and told.</param>
    /// <param name="isDryRun">Whether nothing is to be changed, whatever is answered: what a call would do is shown alone.</param>
    public ModelRemover(ModelStore store, IRemovalObserver observer, bool isDryRun)
    {
        _store = store;
        _observer = observer;
        _isDryRun = isDryRun;
        _removal = new BlobRemoval(store, observer);
    }

    /// <summary>Removes a model from both trees, those of its blobs that nothing else names, and what is remembered of it.</summary>
    /// <param name="name">The model; with a digest, only where its manifest has that.</param>
    /// <param name="cancellationToken">Ends it between two files.</param>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.ManifestNotFound"/>; <see cref="ModelFault.ManifestInvalid"/> where
    /// the manifest of another model cannot be read, so that nobody knows what that needs; or the store cannot be written. But for the
    /// last, nothing was changed.</exception>
    public void RemoveModel(ModelName name, CancellationToken cancellationToken)
    {
        Settle();
        string[] paths = FindOwn(name);
        ManifestCensus census = ManifestCensus.Take(_store);
        IReadOnlyList<CountedManifest> own = census.Of(paths);
        ModelName shown = _store.Manifests.NameOf(paths[0]) ?? name;

        // What a manifest that cannot be read needs is not known, its own least of all.
        bool isKnown = own.All(manifest => manifest.Unreadable is null);
        List<BlobCandidate> blobs = !isKnown ? [] : [.. own.SelectMany(manifest => manifest.Blobs).GroupBy(blob => blob.Key).Select(blob => new BlobCandidate(blob.Key, blob.Select(each => each.Value).FirstOrDefault(type => type.Length > 0), shown))];
        List<BlobCandidate> unneeded = Unneeded(census, blobs, [.. paths, .. _presumedGone]);
        List<RemovedFile> manifests = [.. paths.Select(path => WorkTraces.TryRead(path, RemovedKind.Manifest, shown)).OfType<RemovedFile>()];
        RemovalStep step = new(shown, null, [.. manifests, .. unneeded.SelectMany(FilesOf)], blobs.Count(blob => _store.BlobSize(blob.Digest) is not null) - unneeded.Count(blob => _store.BlobSize(blob.Digest) is not null));
        if (!IsConfirmed(step))
        {
            _presumedGone.UnionWith(_isDryRun ? paths : []);
            return;
        }

        RequireWritable();
        RequireUnchanged(shown, own);
        manifests.ForEach(Remove);
        if (!isKnown)
        {
            _observer.Warn($"The manifest of {shown.Shortest} could not be read, so which blobs it had is not known. Remove-ModelBlob -Unused removes them, where no other model needs them.");
        }

        _removal.Remove(Unneeded(ManifestCensus.Take(_store), blobs, []), null, cancellationToken);
        if (!_store.Manifests.Has(shown) && WorkTraces.TryRead(new OriginFile(_store, shown.WithoutPin).FilePath, RemovedKind.Origin, shown) is { } origin)
        {
            _removal.Try(shown.Shortest, origin.Path, () => _removal.Delete(origin));
        }
    }

    /// <summary>Removes the blobs that no manifest names.</summary>
    /// <param name="isYoungToo">Whether also those that were written to within the last hour, which may be waiting for their manifest.
    /// What is being fetched stays always.</param>
    /// <param name="cancellationToken">Ends it between two files.</param>
    /// <exception cref="ModelFaultException">There is no store; <see cref="ModelFault.ManifestInvalid"/> where a manifest cannot be read;
    /// or the store cannot be written.</exception>
    public void RemoveUnused(bool isYoungToo, CancellationToken cancellationToken)
    {
        Settle();
        DateTime? youngest = isYoungToo ? null : DateTime.UtcNow - Young;
        ManifestCensus census = ManifestCensus.Take(_store);
        HashSet<BlobDigest> named = census.NamedBut([]);
        named.UnionWith(youngest is { } since ? census.NamedByYoung(since, named) : []);
        List<BlobCandidate> unused = [];
        (int Count, long Bytes) young = default;
        foreach (RemovedFile file in FindUnnamed(named))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (youngest is { } limit && File.GetLastWriteTimeUtc(file.Path) > limit)
            {
                young = (young.Count + 1, young.Bytes + file.Size);
            }
            else if (IsConfirmed(new RemovalStep(null, file.Digest, [file, .. WorkTraces.Of(_store, file.Digest!)], 0)))
            {
                unused.Add(new BlobCandidate(file.Digest!, null, null));
            }
        }

        if (young.Count > 0)
        {
            _observer.Tell($"{young.Count} more, of {ByteText.Of(young.Bytes)}, that no manifest names stay: they were written within the last hour, and may be waiting for theirs. -Force removes them as well.");
        }

        if (unused.Count > 0)
        {
            RequireWritable();
            _removal.Remove(unused, youngest, cancellationToken);
        }
    }

    /// <summary>Removes unfinished work that nobody goes on with at this moment.</summary>
    /// <param name="cancellationToken">Ends it between two files.</param>
    /// <exception cref="ModelFaultException">There is no such folder, or it cannot be written.</exception>
    public void RemovePartial(CancellationToken cancellationToken)
    {
        if (!Directory.Exists(_store.Root))
        {
            throw new ModelFaultException(ModelFault.StoreNotFound, $"There is no store at '{_store.Root}': there is no such folder.", new FaultFacts { Path = _store.Root });
        }

        Settle();
        StoreFault.Guard(_store, _store.Work, () => new PartialWork(_store, _removal, _observer, IsConfirmed).Remove(DateTime.UtcNow - Young, cancellationToken));
    }

    /// <summary>Those that nothing else names.</summary>
    private static List<BlobCandidate> Unneeded(ManifestCensus census, List<BlobCandidate> blobs, ICollection<string> but)
    {
        if (blobs.Count == 0)
        {
            return [];
        }

        HashSet<BlobDigest> needed = census.NamedBut(but);
        needed.UnionWith(census.NamedByYoung(DateTime.UtcNow - Young, new HashSet<BlobDigest>(blobs.Select(blob => blob.Digest).Concat(needed))));
        return [.. blobs.Where(blob => !needed.Contains(blob.Digest))];
    }

    private bool IsConfirmed(RemovalStep step) => _observer.ConfirmAsync(step).GetAwaiter().GetResult() && !_isDryRun;

    /// <summary>What was set aside by a call that was killed belongs to the blobs.</summary>
    private void Settle()
    {
        if (!_isSettled && !_isDryRun)
        {
            BlobAside.PutBackAll(_store, _observer.Tell);
            _isSettled = true;
        }
    }

    private string[] FindOwn(ModelName name)
    {
        string[] paths = [.. _store.Manifests.FindFiles(name.WithoutPin).Select(found => found.Path).Where(path => !_presumedGone.Contains(path))];
        if (paths.Length == 0)
        {
            throw _store.Manifests.NotFound(name);
        }

        if (name.Pin is not null)
        {
            _store.Manifests.Read(name);
        }

        return paths;
    }

    private IEnumerable<RemovedFile> FilesOf(BlobCandidate blob) => FileFacts.TryReadEntry(_store.BlobPath(blob.Digest)) is { IsFile: true } facts
        ? WorkTraces.Of(_store, blob.Digest).Prepend(new RemovedFile(RemovedKind.Blob, _store.BlobPath(blob.Digest), facts.Size, blob.Name, blob.Digest, blob.MediaType))
        : WorkTraces.Of(_store, blob.Digest);

    private IEnumerable<RemovedFile> FindUnnamed(HashSet<BlobDigest> named)
    {
        foreach (string path in FolderEntries.All(_store.Blobs))
        {
            if (!BlobDigest.TryParseFileName(Path.GetFileName(path), out BlobDigest? digest) || named.Contains(digest) || FileFacts.TryReadEntry(path) is not { } facts)
            {
                continue;
            }

            if (facts.IsFile)
            {
                yield return new RemovedFile(RemovedKind.Blob, path, facts.Size, null, digest);
            }
            else
            {
                _observer.Warn($"'{path}' stays: it is {(facts.IsLink ? "a link" : "a folder")}, and no file.");
            }
        }
    }

    /// <summary>Sees that blobs can be moved and locks hold, before a manifest is gone.</summary>
    private void RequireWritable()
    {
        StoreFault.Guard(_store, _store.Blobs, () =>
        {
            BlobLock.Sweep(_store);
            if (Path.DirectorySeparatorChar != '\\' && Directory.Exists(_store.Blobs) && !UnixFile.CanWrite(_store.Blobs))
            {
                throw new UnauthorizedAccessException($"'{_store.Blobs}' may not be written.");
            }
        });
    }

    /// <summary>Leave may take its time.</summary>
    private void RequireUnchanged(ModelName name, IReadOnlyList<CountedManifest> own)
    {
        if (own.FirstOrDefault(manifest => ManifestCensus.Read(_store, manifest.Path)?.Digest != manifest.Digest) is { } changed)
        {
            throw new ModelFaultException(
                ModelFault.BlobInUse,
                $"Another program has changed the manifest of {name.Shortest} at '{changed.Path}' meanwhile, so nothing of it is removed.",
                new FaultFacts { Name = name.Shortest, Path = changed.Path, Remedy = "Run the same command again." });
        }
    }

    /// <summary>Removes a manifest, and the folders that are empty then, as Ollama does.</summary>
    private void Remove(RemovedFile manifest) => StoreFault.Guard(_store, manifest.Path, () =>
    {
        DurableFile.Delete(manifest.Path);
        _observer.Removed(manifest);
        string tree = _store.Manifests.TreeOf(manifest.Path);
        for (string folder = Path.GetDirectoryName(manifest.Path)!; folder.Length > tree.Length && FolderEntries.TryRemove(folder);)
        {
            folder = Path.GetDirectoryName(folder)!;
        }
    });
}
