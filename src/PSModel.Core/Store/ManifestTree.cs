using PSModel.Core.Names;

namespace PSModel.Core.Store;

/// <summary>
/// One of the two folders in which a store keeps what its models are: host/namespace/model/tag. Both name hosts in their own way.
/// Immutable and thread-safe.
/// </summary>
/// <remarks><c>manifests/</c> holds the manifests themselves. <c>manifests-v2/</c>, of Ollama's change 16590, holds links to
/// manifests that lie among the blobs; there the default host is <c>ollama.com</c>, and the colon before a port <c>%3A</c>.</remarks>
internal sealed class ManifestTree
{
    private const string Colon = ":";
    private const string EscapedColon = "%3A";

    private readonly bool _isOfEntries;

    private ManifestTree(string folder, bool isOfEntries)
    {
        Folder = folder;
        _isOfEntries = isOfEntries;
    }

    /// <summary>Its path.</summary>
    public string Folder { get; }

    /// <summary>How deep the folder of a tag lies in the store: <c>manifests/host/namespace/model</c>.</summary>
    public const int TagLevels = 4;

    /// <summary>The manifests themselves, which every Ollama reads.</summary>
    public static ManifestTree OfManifests(string root) => new(Path.Combine(root, "manifests"), isOfEntries: false);

    /// <summary>The links to them, which a later Ollama reads first.</summary>
    public static ManifestTree OfEntries(string root) => new(Path.Combine(root, "manifests-v2"), isOfEntries: true);

    /// <summary>The parts of the path of a model.</summary>
    public string[] PartsOf(ModelName name) => SpellingsOf(name).First();

    /// <summary>Where a model belongs.</summary>
    public string PathOf(ModelName name) => Path.Combine([Folder, .. PartsOf(name)]);

    /// <summary>What there is of a model, by any of the ways to write its name: the very letters first. To Ollama they are all one.</summary>
    public IEnumerable<StoredName> Find(ModelName name)
    {
        string[][] spellings = [.. SpellingsOf(name)];

        // Windows takes every spelling for the file's own.
        List<string> exact = Path.DirectorySeparatorChar == '\\' ? [] : [.. spellings.Select(parts => Path.Combine([Folder, .. parts]))];
        return exact
            .Where(path => FileFacts.TryReadEntry(path) is { IsFolder: false })
            .Select(path => new StoredName(name, path))
            .Concat(spellings
                .SelectMany(parts => StoreNames.FindOtherCase(Folder, parts))
                .Where(path => !exact.Contains(path))
                .Select(path => NameOf(path) is { } spelt ? new StoredName(spelt, path) : null)
                .OfType<StoredName>());
    }

    /// <summary>The names of all that is there. Whatever is no name on exactly four levels is passed over, as Ollama does.</summary>
    public IEnumerable<ModelName> FindNames() => FindFiles().Select(NameOf).OfType<ModelName>();

    /// <summary>Everything on exactly four levels that is no folder.</summary>
    public IEnumerable<string> FindFiles() => FindFolders(TagLevels - 1).SelectMany(path => FolderEntries.Files(path));

    /// <summary>Links in place of the tree, or of a folder above tags, that lead to nothing at this moment, to a disk that is not
    /// mounted mostly: which models are behind them nobody knows.</summary>
    public IEnumerable<string> FindLostFolders() => Enumerable.Range(0, TagLevels - 1)
        .SelectMany(level => FindFolders(level).SelectMany(path => FolderEntries.Files(path)))
        .Prepend(Folder)
        .Where(path => FileFacts.TryReadEntry(path) is { IsLink: true } && FileFacts.TryRead(path) is null);

    private IEnumerable<string> FindFolders(int depth)
    {
        IEnumerable<string> paths = Enumerable.Repeat(Folder, Directory.Exists(Folder) ? 1 : 0);
        for (int level = 0; level < depth; level++)
        {
            paths = paths.SelectMany(path => FolderEntries.Folders(path));
        }

        return paths;
    }

    /// <summary>Whether a file lies in it.</summary>
    public bool IsIn(string path) => path.StartsWith(Folder + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    private IEnumerable<string[]> SpellingsOf(ModelName name) => HostsOf(name).Select(host => new[] { host, name.Namespace, name.Model, name.Tag });

    /// <summary>Ollama takes both names of its host for one, and reads a port among the entries in either way.</summary>
    private string[] HostsOf(ModelName name) =>
        name.Host != ModelName.DefaultHost ? (_isOfEntries ? PortsOf(name.Host) : [name.Host])
        : _isOfEntries ? [ModelName.OtherDefaultHost, ModelName.DefaultHost]
        : [ModelName.DefaultHost, ModelName.OtherDefaultHost];

    /// <summary>Windows holds no colon in a name.</summary>
    private static string[] PortsOf(string host) =>
        host.Replace(Colon, EscapedColon) is var escaped && (escaped == host || Path.DirectorySeparatorChar == '\\') ? [escaped] : [escaped, host];

    /// <summary>Whose manifest a file is; <see langword="null"/> where it lies elsewhere, or its path is no name.</summary>
    public ModelName? NameOf(string path)
    {
        string[] parts = IsIn(path) ? path.Substring(Folder.Length + 1).Split(Path.DirectorySeparatorChar) : [];
        if (parts.Length != TagLevels)
        {
            return null;
        }

        string host = _isOfEntries ? parts[0].Replace(EscapedColon, Colon).Replace(EscapedColon.ToLowerInvariant(), Colon) : parts[0];
        return ModelName.TryParse($"{host}/{parts[1]}/{parts[2]}:{parts[3]}", out ModelName? name, out _) && name.Pin is null ? name : null;
    }
}
