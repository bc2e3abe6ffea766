using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;

namespace PSModel.Core.Store;

/// <summary>
/// All that names blobs in a store at one moment: the files of both trees, those that Ollama keeps there for itself included, and the
/// manifests among the blobs that they lead to. Immutable.
/// </summary>
internal sealed class ManifestCensus
{
    private const string LeadsToNothing = "it is a link that leads to nothing";

    private readonly ModelStore _store;
    private readonly List<CountedManifest> _manifests;

    private ManifestCensus(ModelStore store, List<CountedManifest> manifests)
    {
        _store = store;
        _manifests = manifests;
    }

    /// <summary>Looks at all of them.</summary>
    /// <exception cref="ModelFaultException">There is no store, or a folder cannot be read.</exception>
    public static ManifestCensus Take(ModelStore store) => new(store,
    [
        .. store.Manifests.FindLostFolders().Select(path => new CountedManifest(path, null, new Dictionary<BlobDigest, string>(), path, LeadsToNothing)),
        .. store.Manifests.FindFiles().Select(path => Read(store, path)).OfType<CountedManifest>(),
    ]);

    /// <summary>All of them.</summary>
    public IReadOnlyList<CountedManifest> Manifests => _manifests;

    /// <summary>The blobs that are named.</summary>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.ManifestInvalid"/> where a manifest cannot be read: what it needs
    /// is not known, and so not what may be removed.</exception>
    public HashSet<BlobDigest> Named() =>
        _manifests.Find(manifest => manifest.Unreadable is not null) is { } unreadable ? throw FaultOf(unreadable.Path) : [.. _manifests.SelectMany(manifest => manifest.Blobs.Keys)];

    /// <summary>What manifests name that were written among the blobs lately, and to which nothing leads yet: whoever brought one may be
    /// about to write its entry.</summary>
    /// <param name="since">What was written before is of no interest.</param>
    /// <param name="except">Blobs that are none of these.</param>
    public IReadOnlyCollection<BlobDigest> NamedByYoung(DateTime since, ICollection<BlobDigest> except)
    {
        HashSet<BlobDigest> found = [];
        foreach (string path in FolderEntries.Files(_store.Blobs))
        {
            if (BlobDigest.TryParseFileName(Path.GetFileName(path), out BlobDigest? digest) && !except.Contains(digest)
                && FileFacts.TryReadEntry(path) is { IsFile: true, Size: <= ManifestReader.MaximumBytes } && File.GetLastWriteTimeUtc(path) >= since)
            {
                Dictionary<BlobDigest, string> named = new() { [digest] = string.Empty };
                if (IsManifest(path, named))
                {
                    found.UnionWith(named.Keys);
                }
            }
        }

        return found;
    }

    private static bool IsManifest(string path, Dictionary<BlobDigest, string> named)
    {
        try
        {
            return ManifestFile.TryRead(path) is { } bytes && NamedDigests.Collect(bytes, named);
        }
        catch (Exception e) when (e is FormatException || StoreFault.IsOfStore(e))
        {
            // Most blobs are none, and one that cannot be read leads to nothing.
            return false;
        }
    }

    /// <summary>Looks at one.</summary>
    /// <returns><see langword="null"/> where it is gone meanwhile.</returns>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.BlobInUse"/> where another program lets nobody read it.</exception>
    public static CountedManifest? Read(ModelStore store, string path)
    {
        Dictionary<BlobDigest, string> blobs = [];
        BlobDigest? own = null;
        string at = path;
        try
        {
            if (ManifestFile.TryRead(path) is not { } bytes)
            {
                return FileFacts.TryReadEntry(path) is null ? null : new CountedManifest(path, null, blobs, path, LeadsToNothing);
            }

            own = BlobDigest.Of(bytes);
            blobs[own] = string.Empty;
            if (FileFacts.TryReadEntry(path) is { IsLink: true } && BlobDigest.TryParseFileName(Path.GetFileName(WorkFolder.RealPath(path)), out BlobDigest? target))
            {
                blobs[target] = string.Empty;
            }

            Collect(bytes, blobs);
            HashSet<BlobDigest> seen = [];
            while (blobs.FirstOrDefault(blob => IsManifestType(blob.Value) && seen.Add(blob.Key)).Key is { } digest)
            {
                at = store.BlobPath(digest);
                if (ManifestFile.TryRead(at) is { } inner)
                {
                    Collect(inner, blobs, digest);
                }
            }

            return new CountedManifest(path, own, blobs, null, null);
        }
        catch (HeldFileException e)
        {
            // It will say what it needs once that program is done.
            throw StoreFault.From(store, at, e);
        }
        catch (Exception e) when (e is FormatException || StoreFault.IsOfStore(e))
        {
            return new CountedManifest(path, own, blobs, at, e.Message.TrimEnd('.'));
        }
    }

    private static void Collect(byte[] bytes, Dictionary<BlobDigest, string> blobs, BlobDigest? digest = null)
    {
        if (bytes.Length > ManifestReader.MaximumBytes)
        {
            throw new FormatException($"it is longer than {ByteText.Of(ManifestReader.MaximumBytes)}");
        }

        if (digest is not null && BlobDigest.Of(bytes) != digest)
        {
            throw new FormatException("its bytes are not those of its digest");
        }

        NamedDigests.Collect(bytes, blobs);
    }

    private static bool IsManifestType(string mediaType) => MediaTypes.IsManifest(mediaType) || MediaTypes.IsIndex(mediaType) || mediaType == MediaTypes.OllamaList;

    /// <summary>Says that a manifest cannot be read.</summary>
    /// <param name="path">That of the manifest.</param>
    public ModelFaultException FaultOf(string path)
    {
        CountedManifest manifest = _manifests.Find(each => each.Path == path)!;
        ModelName? name = _store.Manifests.NameOf(manifest.Path);
        return new ModelFaultException(
            ModelFault.ManifestInvalid,
            $"'{manifest.Unreadable}' cannot be read as a manifest: {manifest.Why}. Which blobs it needs is not known, so no blob is removed.",
            new FaultFacts
            {
                Name = name?.Shortest,
                Path = manifest.Unreadable,
                Remedy = name is null
                    ? $"Where '{manifest.Path}' belongs to a disk that is not mounted, mount it; else move it out of the store. Then run the same command again."
                    : $"\"{_store.Manifests.CommandFor(name)}\" writes it anew, and \"Remove-ModelBlob {name.Shortest} -StorePath {SaveCommand.Quote(_store.Root)}\" removes that model; then run the same command again.",
            });
    }
}
