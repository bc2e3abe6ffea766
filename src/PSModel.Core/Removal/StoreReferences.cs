using PSModel.Core.Names;
using PSModel.Core.Store;

namespace PSModel.Core.Removal;

/// <summary>
/// What names the blobs of a store, as it is known during a call that removes several models: read once, and kept current with what the
/// call itself removes. What other programs change meanwhile is looked at again before any blob goes. For one thread.
/// </summary>
/// <param name="store">The store.</param>
/// <param name="young">What was written within this time may be waiting for its manifest.</param>
/// <param name="pending">The blobs of models that were removed, which are there still.</param>
internal sealed class StoreReferences(ModelStore store, TimeSpan young, IReadOnlyDictionary<BlobDigest, BlobCandidate> pending)
{
    private readonly Dictionary<string, List<CountedManifest>> _byName = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<BlobDigest, int> _counts = [];
    private readonly HashSet<string> _unreadable = [];

    /// <summary>Files that would be gone by now if this were no dry run.</summary>
    private readonly HashSet<string> _presumedGone = [];

    private HashSet<BlobDigest> _namedByYoung = [];
    private ManifestCensus? _census;

    /// <summary>The manifests of a model in both trees, those of the very letters of its name first; none where it is not there.</summary>
    /// <exception cref="Faults.ModelFaultException">There is no store, or a folder cannot be read.</exception>
    public IReadOnlyList<CountedManifest> Of(ModelName name)
    {
        if (_census is null)
        {
            Look();
        }

        List<CountedManifest> own = Known(name);
        if (own.Count == 0 || own.Exists(HasChanged))
        {
            // Another program has made or changed it since.
            Look();
            own = Known(name);
        }

        return own;
    }

    /// <summary>Whether a manifest is another one by now, or gone.</summary>
    public bool HasChanged(CountedManifest manifest) => ManifestCensus.Read(store, manifest.Path)?.Digest != manifest.Digest;

    /// <summary>The blobs of some manifests that nothing else names.</summary>
    /// <param name="own">The manifests.</param>
    /// <exception cref="Faults.ModelFaultException">Another one cannot be read: what that needs is not known.</exception>
    public HashSet<BlobDigest> NamedByNoOther(IReadOnlyList<CountedManifest> own)
    {
        if (_unreadable.Except(own.Select(manifest => manifest.Path)).FirstOrDefault() is { } unreadable)
        {
            throw _census!.FaultOf(unreadable);
        }

        return [.. own
            .SelectMany(manifest => manifest.Blobs.Keys)
            .GroupBy(digest => digest)
            .Where(group => _counts[group.Key] == group.Count() && !_namedByYoung.Contains(group.Key))
            .Select(group => group.Key)];
    }

    /// <summary>Some manifests are gone.</summary>
    /// <param name="own">The manifests.</param>
    /// <param name="isPresumed">Whether they are there still, and would be gone if this were no dry run.</param>
    public void Forget(IReadOnlyList<CountedManifest> own, bool isPresumed)
    {
        foreach (CountedManifest manifest in own)
        {
            _presumedGone.UnionWith(isPresumed ? [manifest.Path] : []);
            _unreadable.Remove(manifest.Path);
            Count(manifest, -1);
            if (store.Manifests.ModelAt(manifest.Path) is { } name)
            {
                _byName[name.Shortest].Remove(manifest);
            }
        }
    }

    private void Look()
    {
        _census = ManifestCensus.Take(store);
        _byName.Clear();
        _counts.Clear();
        _unreadable.Clear();
        foreach (CountedManifest manifest in _census.Manifests.Where(manifest => !_presumedGone.Contains(manifest.Path)))
        {
            Count(manifest, 1);
            _unreadable.UnionWith(manifest.Unreadable is null ? [] : [manifest.Path]);
            if (store.Manifests.ModelAt(manifest.Path) is { } name)
            {
                List<CountedManifest> all = _byName.TryGetValue(name.Shortest, out List<CountedManifest>? known) ? known : _byName[name.Shortest] = [];
                all.Add(manifest);
            }
        }

        _namedByYoung = [.. _census.NamedByYoung(DateTime.UtcNow - young, new HashSet<BlobDigest>(_counts.Keys.Concat(pending.Keys)))];
    }

    private List<CountedManifest> Known(ModelName name) => _byName.TryGetValue(name.Shortest, out List<CountedManifest>? all)
        ? [.. all.OrderBy(manifest => store.Manifests.ModelAt(manifest.Path) == name ? 0 : 1)]
        : [];

    private void Count(CountedManifest manifest, int change)
    {
        foreach (BlobDigest digest in manifest.Blobs.Keys)
        {
            _counts[digest] = (_counts.TryGetValue(digest, out int count) ? count : 0) + change;
        }
    }
}
