using PSModel.Core.Faults;
using PSModel.Core.Names;
using PSModel.Core.Store;

namespace PSModel.Core.Removal;

/// <summary>
/// Removes from a store: a model with the blobs that no other one needs, blobs that no manifest names, and unfinished work. Other
/// programs may work on the store meanwhile. At every moment each manifest has its blobs, as far as they were there. A model is gone at
/// once, and its blobs with those of others. For one thread.
/// </summary>
public sealed class ModelRemover
{
    /// <summary>Ollama's own rule: what is younger may be waiting for its manifest.</summary>
    private static readonly TimeSpan Young = TimeSpan.FromHours(1);

    private readonly ModelStore _store;
    private readonly IRemovalObserver _observer;
    private readonly bool _isDryRun;
    private readonly BlobRemoval _removal;
    private readonly StoreReferences _references;

    /// <summary>The blobs of models that are gone.</summary>
    private readonly Dictionary<BlobDigest, BlobCandidate> _pending = [];

    private WorkTraces? _traces;
    private bool _isSettled;
    private bool _isSeenWritable;

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
        _references = new StoreReferences(store, Young, _pending);
    }

    /// <summary>Removes a model from both trees, and what is remembered of it; those of its blobs that nothing else names go by
    /// <see cref="Finish"/> at the latest.</summary>
    /// <param name="name">The model; with a digest, only where its manifest has that.</param>
    /// <param name="cancellationToken">Ends it between two files.</param>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.ManifestNotFound"/>; <see cref="ModelFault.ManifestInvalid"/> where
    /// the manifest of another model cannot be read, so that nobody knows what that needs; or the store cannot be written. But for the
    /// last, nothing of the model was changed.</exception>
    public void RemoveModel(ModelName name, CancellationToken cancellationToken)
    {
        try
        {
            Settle(CancellationToken.None);
            Remove(name);
        }
        catch (ModelFaultException)
        {
            // Whoever ends at the first error has what came before it done.
            Finish(cancellationToken);
            throw;
        }

        if (_pending.Count >= BlobRemoval.Most)
        {
            Finish(cancellationToken);
        }
    }

    /// <summary>Removes the blobs of the models that are gone, as far as nothing else needs them by now.</summary>
    /// <param name="cancellationToken">Ends it between two files.</param>
    /// <exception cref="ModelFaultException">What is needed cannot be told any more; no blob is removed.</exception>
    public void Finish(CancellationToken cancellationToken)
    {
        if (_pending.Count == 0)
        {
            return;
        }

        try
        {
            ManifestCensus census = ManifestCensus.Take(_store);
            HashSet<BlobDigest> needed = census.Named();
            needed.UnionWith(census.NamedByYoung(DateTime.UtcNow - Young, new HashSet<BlobDigest>(_pending.Keys.Concat(needed))));
            _removal.Remove([.. _pending.Values.Where(blob => !needed.Contains(blob.Digest))], null, cancellationToken);
        }
        catch (ModelFaultException fault)
        {
            fault.Facts.Remedy = $"{fault.Facts.Remedy?.TrimEnd('.')}. \"{BlobRemoval.CommandFor(_store)}\" then removes the blobs of the models that are gone.";
            throw;
        }
        finally
        {
            _pending.Clear();
        }
    }

    private void Remove(ModelName name)
    {
        IReadOnlyList<CountedManifest> own = FindOwn(name);
        ModelName shown = _store.Manifests.NameOf(own[0].Path) ?? name;

        // What a manifest that cannot be read needs is not known, its own least of all.
        bool isKnown = own.All(manifest => manifest.Unreadable is null);
        List<BlobCandidate> blobs = !isKnown ? [] : [.. own.SelectMany(manifest => manifest.Blobs).GroupBy(blob => blob.Key).Select(blob => new BlobCandidate(blob.Key, blob.Select(each => each.Value).FirstOrDefault(type => type.Length > 0), shown))];
        HashSet<BlobDigest> unneeded = isKnown ? _references.NamedByNoOther(own) : [];
        List<RemovedFile> manifests = [.. own.Select(manifest => WorkTraces.TryRead(manifest.Path, RemovedKind.Manifest, shown)).OfType<RemovedFile>()];
        RemovalStep step = new(
            shown,
            null,
            [.. manifests, .. blobs.Where(blob => unneeded.Contains(blob.Digest)).SelectMany(FilesOf)],
            blobs.Count(blob => !unneeded.Contains(blob.Digest) && _store.BlobSize(blob.Digest) is not null));
        if (!IsConfirmed(step))
        {
            if (_isDryRun)
            {
                _references.Forget(own, isPresumed: true);
            }

            return;
        }

        RequireWritable();
        RequireUnchanged(shown, own);
        manifests.ForEach(Remove);
        _references.Forget(own, isPresumed: false);
        blobs.ForEach(blob => _pending[blob.Digest] = blob);
        if (!isKnown)
        {
            _observer.Warn($"The manifest of {shown.Shortest} could not be read, so which blobs it had is not known. \"{BlobRemoval.CommandFor(_store)}\" removes them, where no other model needs them.");
        }

        if (own.All(manifest => FileFacts.TryReadEntry(manifest.Path) is null) && WorkTraces.TryRead(new OriginFile(_store, shown.WithoutPin).FilePath, RemovedKind.Origin, shown) is { } origin)
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
        Settle(cancellationToken);
        DateTime? youngest = isYoungToo ? null : DateTime.UtcNow - Young;
        ManifestCensus census = ManifestCensus.Take(_store);
        HashSet<BlobDigest> named = census.Named();
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
            else if (IsConfirmed(new RemovalStep(null, file.Digest, [file, .. Traces.Of(file.Digest!)], 0)))
            {
                unused.Add(new BlobCandidate(file.Digest!, null, null));
            }
        }

        if (young.Count > 0)
        {
            bool isOne = young.Count == 1;
            string what = $"{young.Count} {(isOne ? "blob" : "blobs")} of {ByteText.Of(young.Bytes)} that no manifest names {(isOne ? "stays: it was" : "stay: they were")} written within the last hour, and may be waiting for one. -Force removes {(isOne ? "it" : "them")} as well.";

            // Where nothing is removed, that is what the user wonders about.
            (unused.Count == 0 ? (Action<string>)_observer.Warn : _observer.Tell)(what);
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

        Settle(cancellationToken);
        StoreFault.Guard(_store, _store.Work, () => new PartialWork(_store, _removal, _observer, IsConfirmed).Remove(DateTime.UtcNow - Young, cancellationToken));
    }

    private WorkTraces Traces => _traces ??= WorkTraces.Look(_store);

    private bool IsConfirmed(RemovalStep step) => _observer.ConfirmAsync(step).GetAwaiter().GetResult() && !_isDryRun;

    /// <summary>What was set aside by a call that was killed belongs to the blobs.</summary>
    private void Settle(CancellationToken cancellationToken)
    {
        if (!_isSettled && !_isDryRun)
        {
            BlobAside.PutBackAll(_store, _observer.Tell);
            BlobLinks.ClearAll(_store, _observer.Tell, cancellationToken);
            _isSettled = true;
        }
    }

    private IReadOnlyList<CountedManifest> FindOwn(ModelName name)
    {
        IReadOnlyList<CountedManifest> own = _references.Of(name.WithoutPin);
        if (own.Count == 0)
        {
            throw _store.Manifests.NotFound(name);
        }

        if (name.Pin is not null)
        {
            _store.Manifests.Read(name);
        }

        return own;
    }

    private IEnumerable<RemovedFile> FilesOf(BlobCandidate blob) => FileFacts.TryReadEntry(_store.BlobPath(blob.Digest)) is { IsFile: true } facts
        ? Traces.Of(blob.Digest).Prepend(new RemovedFile(RemovedKind.Blob, _store.BlobPath(blob.Digest), facts.Size, blob.Name, blob.Digest, blob.MediaType))
        : Traces.Of(blob.Digest);

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
        if (_isSeenWritable)
        {
            return;
        }

        StoreFault.Guard(_store, _store.Blobs, () =>
        {
            BlobLock.Sweep(_store);
            if (Path.DirectorySeparatorChar != '\\' && Directory.Exists(_store.Blobs) && !UnixFile.CanWrite(_store.Blobs))
            {
                throw new UnauthorizedAccessException($"'{_store.Blobs}' may not be written.");
            }
        });
        _isSeenWritable = true;
    }

    /// <summary>Leave may take its time.</summary>
    private void RequireUnchanged(ModelName name, IReadOnlyList<CountedManifest> own)
    {
        if (own.FirstOrDefault(_references.HasChanged) is { } changed)
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
