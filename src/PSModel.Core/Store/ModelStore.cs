using System.Runtime.InteropServices;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;

namespace PSModel.Core.Store;

/// <summary>
/// Ollama's models folder: <c>blobs/sha256-…</c>, <c>manifests/host/namespace/model/tag</c>, a later Ollama's
/// <c>manifests-v2/</c>, and beside them <c>.psmodel/</c>, where unfinished work lies. Holds what it once found. Thread-safe.
/// </summary>
public sealed class ModelStore
{
    /// <summary>The variable by which Ollama is told of its store.</summary>
    internal const string PathVariable = "OLLAMA_MODELS";

    private readonly Lazy<string> _work;
    private readonly Lazy<FileOwner?> _owner;
    private readonly RoomLook _room;
    private volatile bool _isWorkSeen;
    private volatile bool _areLocksProved;
    private volatile int _rangeLocks;

    /// <summary>Names a store; nothing is created.</summary>
    /// <param name="path">An absolute path; the folder need not exist.</param>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.StoreNotWritable"/> where no file system could hold it.</exception>
    public ModelStore(string path)
    {
        if (path.IndexOfAny(Path.GetInvalidPathChars()) >= 0)
        {
            throw new ModelFaultException(ModelFault.StoreNotWritable, $"'{path}' cannot be the path of a store.", new FaultFacts { Path = path, Remedy = "Give a path that the file system can hold." });
        }

        Root = path;
        Blobs = Path.Combine(path, "blobs");
        Manifests = new StoredManifests(this, isWindows: Path.DirectorySeparatorChar == '\\');
        _work = new Lazy<string>(() => WorkFolder.For(Root, Blobs, levels: 1));
        _room = new RoomLook(() => FreeSpace.At(Work));
        _owner = new Lazy<FileOwner?>(() => FileOwner.Of(Root));
    }

    /// <summary>Where Ollama looks with that variable and that home.</summary>
    internal static string? PathOf(string? variable, string? home) =>
        variable?.Trim().Trim('"', '\'') is { Length: > 0 } path ? path
        : home is null ? null
        : Path.Combine(home, ".ollama", "models");

    /// <summary>The store as another machine works on it.</summary>
    private ModelStore(ModelStore store, string work)
        : this(store.Root) => _work = new Lazy<string>(() => work);

    /// <summary>Where Ollama looks: <c>$OLLAMA_MODELS</c>, without blanks and quotes around it as Ollama takes it, else
    /// <c>~/.ollama/models</c>.</summary>
    public static string DefaultPath =>
        PathOf(Environment.GetEnvironmentVariable(PathVariable), UserFolder)!;

    /// <summary>Ollama takes the user's folder from the environment, on Windows too, where .NET asks the system.</summary>
    private static string UserFolder =>
        RuntimeInformation.IsOSPlatform(OSPlatform.Windows) && Environment.GetEnvironmentVariable("USERPROFILE") is { Length: > 0 } folder ? folder
        : Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);

    /// <summary>The store of a blob's file; <see langword="null"/> where it lies in none.</summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="digest">The blob.</param>
    internal static ModelStore? OfBlob(string path, BlobDigest digest)
    {
        string full = Path.GetFullPath(path);
        return Path.GetDirectoryName(Path.GetDirectoryName(full)) is { } root && new ModelStore(root) is var store && store.BlobPath(digest) == full ? store : null;
    }

    /// <summary>The store's folder.</summary>
    public string Root { get; }

    /// <summary>The folder of unfinished work, on the volume of the blobs; no program but this one uses it.</summary>
    internal string Work => _work.Value;

    /// <summary>The folder of what is kept for all machines: the block maps.</summary>
    internal string CommonWork => WorkFolder.CommonOf(Work);

    /// <summary>The store as other machines work on it that share it, and as earlier starts of this one did. Their work is
    /// read, and not written.</summary>
    internal IEnumerable<ModelStore> OfOthers()
    {
        IEnumerable<string> folders = Directory.Exists(CommonWork) ? Directory.EnumerateDirectories(CommonWork).Where(IsOfHost).Append(CommonWork) : [];
        return folders.Where(folder => folder != Work).Select(folder => new ModelStore(this, folder)).ToList();
    }

    private static bool IsOfHost(string folder) => HostId.IsOne(Path.GetFileName(folder)) && FileFacts.TryReadEntry(folder) is { IsFolder: true, IsLink: false };

    /// <summary>To whom new files and folders are given; <see langword="null"/> where they stay with who makes them.</summary>
    internal FileOwner? Owner => _owner.Value;

    /// <summary>Whether locks in the folder of unfinished work were seen to keep others out.</summary>
    internal bool AreLocksProved
    {
        get => _areLocksProved;
        set => _areLocksProved = value;
    }

    /// <summary>Whether single bytes can be locked in the folder of unfinished work; <see langword="null"/> before that was tried.</summary>
    internal bool? HasRangeLocks
    {
        get => _rangeLocks == 0 ? null : _rangeLocks > 0;
        set => _rangeLocks = value == true ? 1 : -1;
    }

    /// <summary>The folder of the blobs.</summary>
    internal string Blobs { get; }

    /// <summary>The manifests of its models.</summary>
    public StoredManifests Manifests { get; }

    /// <summary>Where a blob belongs.</summary>
    public string BlobPath(BlobDigest digest) => Path.Combine(Blobs, digest.FileName);

    /// <summary>The bytes that there is room for; <see langword="null"/> where nobody can tell.</summary>
    public long? FreeBytes => FreeSpace.At(Work);

    /// <summary>The same as it was seen within the last tenth of a second.</summary>
    internal long? FreeBytesLately => _room.Lately();

    /// <summary>The size of a blob's file in bytes, that of its target if it is a link; <see langword="null"/> where there is none, or
    /// where it is no file.</summary>
    public long? BlobSize(BlobDigest digest) => FileFacts.TryRead(BlobPath(digest)) is { IsFile: true } facts ? facts.Size : null;

    /// <summary>Whether a blob's file is there with the size that a manifest names; it is not read.</summary>
    internal bool Has(Layer layer) => BlobSize(layer.Digest) == layer.Size;

    /// <summary>Creates the folder of unfinished work, and sees that it is one.</summary>
    /// <exception cref="IOException">It cannot be created, a link stands in its place, or it is a volume of its own.</exception>
    internal void CreateWork()
    {
        // Of thousands of small blobs each asks for it.
        if (_isWorkSeen && CommonWork == Work && FileFacts.TryReadEntry(Work) is { IsFolder: true, IsLink: false })
        {
            return;
        }

        CreateWork(Work);
        if (!_isWorkSeen)
        {
            WorkFolder.RequireOneVolume(Work, Directory.Exists(Blobs) ? Blobs : Root);
            _isWorkSeen = true;
        }
    }

    /// <summary>Creates a folder of unfinished work.</summary>
    /// <exception cref="IOException">It cannot be created, or a link stands in its place.</exception>
    internal void CreateWork(string path)
    {
        DurableFile.CreateFolder(this, path);
        RequireNoLink(path);
        if (WorkFolder.CommonOf(path) is { } common && common != path)
        {
            RequireNoLink(common);
        }
    }

    private static void RequireNoLink(string folder)
    {
        if (FileFacts.TryReadEntry(folder) is { IsLink: true })
        {
            throw new IOException($"'{folder}' is a link, and no unfinished work is written through one. Remove it.");
        }
    }
}
