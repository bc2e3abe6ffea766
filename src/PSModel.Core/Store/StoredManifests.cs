using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;

namespace PSModel.Core.Store;

/// <summary>
/// The manifests of a store. Every Ollama reads <c>manifests/</c>; a later one (change 16590) keeps links in <c>manifests-v2/</c> to
/// manifests that lie among the blobs, and reads those first. So they are read first here too, and what is written lies where all of
/// them find it. Thread-safe but for two writers of one name, who are asked one after the other.
/// </summary>
public sealed partial class StoredManifests
{
    private const string Unreadable = "Check who may read it, whether another program holds it, and the disk that it lies on.";

    private static readonly string[] Bookkeeping = ["llamacpp", "ggml", "mlx", "ollama"];

    private readonly ModelStore _store;
    private readonly bool _isWindows;
    private readonly ManifestTree _manifests;
    private readonly ManifestTree _entries;
    private readonly ManifestBlobs _blobs;

    /// <param name="store">The store.</param>
    /// <param name="isWindows">Whether names are held as Windows holds them.</param>
    internal StoredManifests(ModelStore store, bool isWindows)
    {
        _store = store;
        _isWindows = isWindows;
        _manifests = ManifestTree.OfManifests(store.Root);
        _entries = ManifestTree.OfEntries(store.Root);
        _blobs = new ManifestBlobs(store);
    }

    /// <summary>The folders of manifests that are being written, where the trees lie on other volumes than the blobs.</summary>
    internal IEnumerable<string> WorkFolders => new[] { _manifests, _entries }
        .Select(tree => WorkFolder.For(_store.Root, tree.Folder, levels: 1))
        .SelectMany(work => new[] { work, Path.Combine([work, .. Deeper]) });

    /// <summary>Whether there is one of the trees, be it empty.</summary>
    internal bool HasTree => Directory.Exists(_manifests.Folder) || Directory.Exists(_entries.Folder);

    /// <summary>Where a model's manifest is written: in <c>manifests/</c>, or, where the file system holds no such path, in
    /// <c>manifests-v2/</c>.</summary>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.InvalidModelName"/> where the file system cannot hold
    /// the name.</exception>
    public string PathOf(ModelName name) => TreeFor(name).PathOf(name);

    /// <summary>The names of all models, in their order; what Ollama keeps there for itself is none.</summary>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.StoreNotFound"/>, or <see cref="ModelFault.ManifestInvalid"/>
    /// where a folder cannot be read.</exception>
    public IReadOnlyList<ModelName> FindNames()
    {
        RequireStore();
        return Look<IReadOnlyList<ModelName>>(() =>
        {
            // A model may be there several times, and each time in other letters; to Ollama it is one.
            IEnumerable<ModelName> names = _manifests.FindNames().OrderByDescending(name => name.Shortest, StringComparer.Ordinal).Concat(_entries.FindNames())
                .GroupBy(name => name.Shortest, StringComparer.OrdinalIgnoreCase)
                .Select(spellings => spellings.Skip(1).Any() && spellings.FirstOrDefault(HasOrigin) is { } saved ? saved : spellings.First());
            return names.Where(name => !IsOfOllama(name)).OrderBy(name => name.Shortest, StringComparer.OrdinalIgnoreCase).ToList();
        });
    }

    private bool HasOrigin(ModelName name) => File.Exists(new OriginFile(_store, name).FilePath);

    /// <summary>Every file where manifests belong, whatever its name and content: those that Ollama keeps for itself too.</summary>
    /// <exception cref="ModelFaultException">There is no store, or a folder cannot be read.</exception>
    internal IReadOnlyList<string> FindFiles()
    {
        RequireStore();
        return Look<IReadOnlyList<string>>(() => [.. _entries.FindFiles(), .. _manifests.FindFiles()]);
    }

    /// <summary>Links above the manifests that lead to nothing.</summary>
    /// <exception cref="ModelFaultException">A folder cannot be read.</exception>
    internal IReadOnlyList<string> FindLostFolders() => Look<IReadOnlyList<string>>(() => [.. _entries.FindLostFolders(), .. _manifests.FindLostFolders()]);

    /// <summary>Whose manifest a file of the trees is; <see langword="null"/> where its path is no name.</summary>
    internal ModelName? NameOf(string path) => _entries.NameOf(path) ?? _manifests.NameOf(path);

    /// <summary>Which model a file of the trees makes; <see langword="null"/> where it makes none, as what Ollama keeps for itself.</summary>
    internal ModelName? ModelAt(string path) => NameOf(path) is { } name && !IsOfOllama(name) ? name : null;

    /// <summary>The folder of the tree in which a file lies.</summary>
    internal string TreeOf(string path) => _entries.IsIn(path) ? _entries.Folder : _manifests.Folder;

    /// <summary>The names of a model by all its tags.</summary>
    /// <param name="model">The model, by any tag; <see langword="null"/> for all models.</param>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.ManifestNotFound"/> where it has none, or there is no store.</exception>
    public IReadOnlyList<ModelName> FindTags(ModelName? model)
    {
        List<ModelName> found = [.. FindNames().Where(name => model is null || name.IsSameModel(model))];
        return found.Count > 0 || model is null ? found : throw NotFound(model, PathOf(model.WithoutPin), string.Empty);
    }

    /// <summary>Reads a manifest of the store: the one that <c>manifests-v2/</c> leads to, else that of <c>manifests/</c>. Where there
    /// is none of the very name, one is taken whose letters differ in their case alone, and it has that name: to Ollama it is the
    /// same. Of a list the manifest is taken that the runner wants, or that Ollama would take of those that are there.</summary>
    /// <param name="name">The model.</param>
    /// <param name="runner">Which manifest of a list; <see langword="null"/> for the one that Ollama would take.</param>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.ManifestNotFound"/>,
    /// <see cref="ModelFault.ManifestInvalid"/>, or <see cref="ModelFault.BlobInUse"/> where another program holds it.</exception>
    public Manifest Read(ModelName name, string? runner = null)
    {
        Manifest manifest = ReadAny(name.WithoutPin, runner);
        return name.Pin is null || name.Pin == manifest.Digest
            ? manifest
            : throw NotFound(name, manifest.Source, $" with the digest {name.Pin}: the tag has moved, to {manifest.Digest}");
    }

    private Manifest ReadAny(ModelName name, string? runner)
    {
        string at = _entries.Folder;
        try
        {
            List<StoredName> entries = [.. _entries.Find(name)];
            foreach (StoredName entry in entries)
            {
                at = entry.Path;
                if (_blobs.TryReadEntry(entry.Path) is { } linked && _blobs.TryComplete(entry, linked, runner) is { } led)
                {
                    return led;
                }
            }

            at = PathOf(name);
            StoredName? plain = FindPlain(name);
            return plain is not null && ManifestFile.TryRead(at = plain.Path) is { } bytes
                ? _blobs.TryComplete(plain, bytes, runner) ?? throw NotFound(name, plain.Path, $": '{plain.Path}' is a list of manifests, and none of them is among its blobs")
                : throw NotFound(name, entries.Count > 0 ? entries[0].Path : at, entries.Count > 0 ? $": '{entries[0].Path}' leads to no manifest among its blobs" : string.Empty);
        }
        catch (ModelFaultException e) when (e.Fault == ModelFault.ManifestInvalid)
        {
            e.Facts.Remedy = $"\"{CommandFor(name)}\" writes it anew.";
            throw;
        }
        catch (HeldFileException e)
        {
            throw StoreFault.From(_store, at, e);
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            throw new ModelFaultException(
                ModelFault.ManifestInvalid,
                $"The manifest of {name.Shortest} at '{at}' cannot be read: {e.Message}",
                new FaultFacts { Name = name.Shortest, Path = at, Remedy = Unreadable },
                e);
        }
    }

    /// <summary>The blobs that the manifests name, as far as these can be read.</summary>
    /// <exception cref="ModelFaultException">There is no store, or a folder cannot be read.</exception>
    internal HashSet<BlobDigest> FindNamedBlobs() => [.. ReadAll().SelectMany(manifest => manifest.Blobs).Select(layer => layer.Digest)];

    /// <summary>The manifests of all models, as far as these can be read.</summary>
    /// <exception cref="ModelFaultException">There is no store, or a folder cannot be read.</exception>
    internal IEnumerable<Manifest> ReadAll() => FindNames().Select(name => TryRead(name)).OfType<Manifest>();

    /// <summary>Reads a manifest of the store as <see cref="Read"/> does; <see langword="null"/> where there is none that can be
    /// used, and where the others matter more than why.</summary>
    public Manifest? TryRead(ModelName name, string? runner = null)
    {
        try
        {
            return Read(name, runner);
        }
        catch (ModelFaultException)
        {
            return null;
        }
    }

    /// <summary>Whether there is anything of the name, of whatever content.</summary>
    internal bool Has(ModelName name)
    {
        try
        {
            return FindPlain(name) is not null || _entries.Find(name).Any();
        }
        catch (ModelFaultException)
        {
            // The file system cannot hold the name.
            return false;
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            // Nobody can tell.
            return true;
        }
    }

    private void RequireStore()
    {
        // The folder of a volume that is not mounted is there, and empty.
        if (!HasTree && !Directory.Exists(_store.Blobs))
        {
            string why = Directory.Exists(_store.Root) ? "the folder has neither blobs nor manifests" : "there is no such folder";
            throw new ModelFaultException(ModelFault.StoreNotFound, $"There is no store at '{_store.Root}': {why}.", new FaultFacts { Path = _store.Root });
        }
    }

    private T Look<T>(Func<T> look)
    {
        try
        {
            return look();
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            throw new ModelFaultException(
                ModelFault.ManifestInvalid,
                $"The manifests of the store '{_store.Root}' cannot be read: {e.Message}",
                new FaultFacts { Path = _store.Root, Remedy = Unreadable },
                e);
        }
    }

    private ManifestTree TreeFor(ModelName name)
    {
        // A colon is no part of a name there, and the other tree writes it in another way.
        ManifestTree tree = _isWindows && name.Host.Any(c => c == ':') ? _entries : _manifests;
        StoreNames.RequireHoldable(name, tree.PartsOf(name), _isWindows);
        return tree;
    }

    /// <summary>Whether a model can lie in the later tree alone, which Ollama 0.33 does not read.</summary>
    internal bool IsForLaterOllama(ModelName name) => TreeFor(name) == _entries;

    private StoredName? FindPlain(ModelName name) => TreeFor(name) == _manifests ? _manifests.Find(name).FirstOrDefault() : null;

    /// <summary>What Ollama remembers under its own namespace of models that it converted (reported).</summary>
    private static bool IsOfOllama(ModelName name) =>
        name.Host == ModelName.DefaultHost && name.Namespace == ModelName.DefaultNamespace && Bookkeeping.Contains(name.Model)
        && BlobDigest.TryParse($"sha256:{name.Tag}", out _);

    /// <summary>Says that the store has no such model.</summary>
    internal ModelFaultException NotFound(ModelName name) => NotFound(name.WithoutPin, PathOf(name.WithoutPin), string.Empty);

    private ModelFaultException NotFound(ModelName name, string path, string why) => !Directory.Exists(_store.Root) ? NoStore(name, path) : new(
        ModelFault.ManifestNotFound,
        $"The store '{_store.Root}' has no model '{name.Shortest}'{why}.",
        new FaultFacts
        {
            Name = name.Shortest,
            Path = path,
            Remedy = why.Length == 0
                ? $"Check the spelling of model and tag; \"Get-ModelManifest -Local -StorePath {SaveCommand.Quote(_store.Root)}\" lists what the store has."
                : $"\"{CommandFor(name)}\" fetches it.",
        });

    private ModelFaultException NoStore(ModelName name, string path) => new(
        ModelFault.ManifestNotFound,
        $"The store '{_store.Root}' has no model '{name.Shortest}': there is no such folder.",
        new FaultFacts { Name = name.Shortest, Path = path, Remedy = "Check the path of the store, and whether its disk is mounted." });

    /// <summary>Fetches a model again from where it was last saved from, as far as that is known.</summary>
    internal string CommandFor(ModelName name) => SaveCommand.For(_store, name, new OriginFile(_store, name).TryReadOrigin());
}
