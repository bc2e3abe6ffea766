using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;

namespace PSModel.Core.Store;

/// <summary>
/// Ollama's models folder: <c>blobs/sha256-…</c>, <c>manifests/host/namespace/model/tag</c>, and beside them
/// <c>.psmodel/</c>, where unfinished work lies. Holds what it once found, so it is immutable and thread-safe.
/// </summary>
public sealed class ModelStore
{
    private const string PathVariable = "OLLAMA_MODELS";

    private const string TemporaryManifest = "manifest-";

    /// <summary>How deep the folder of a tag lies: <c>manifests/host/namespace/model</c>.</summary>
    private const int TagLevels = 4;

    private readonly Lazy<string> _work;
    private readonly Lazy<FileOwner?> _owner;
    private volatile bool _isWorkSeen;

    /// <summary>Names a store; nothing is created.</summary>
    /// <param name="path">An absolute path; the folder need not exist.</param>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.StoreNotWritable"/> where no file system could hold it.</exception>
    public ModelStore(string path)
    {
        if (path.IndexOfAny(Path.GetInvalidPathChars()) >= 0)
        {
            throw new ModelFaultException(ModelFault.StoreNotWritable, $"'{path}' cannot be the path of a store.", new FaultFacts { Path = path });
        }

        Root = path;
        Blobs = Path.Combine(path, "blobs");
        Manifests = Path.Combine(path, "manifests");
        _work = new Lazy<string>(() => WorkFolder.For(Root, Blobs, levels: 1));
        _owner = new Lazy<FileOwner?>(() => FileOwner.Of(Root));
    }

    /// <summary>The store as another machine works on it.</summary>
    private ModelStore(ModelStore store, string work)
        : this(store.Root) => _work = new Lazy<string>(() => work);

    /// <summary>Where Ollama looks: <c>$OLLAMA_MODELS</c>, else <c>~/.ollama/models</c>.</summary>
    public static string DefaultPath =>
        Environment.GetEnvironmentVariable(PathVariable) is { Length: > 0 } path
            ? path
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".ollama", "models");

    /// <summary>The store's folder.</summary>
    public string Root { get; }

    /// <summary>The folder of unfinished work, on the volume of the blobs; no program but this one uses it.</summary>
    internal string Work => _work.Value;

    /// <summary>The folder of manifests that are being written, where <c>manifests/</c> lies on another volume.</summary>
    internal string ManifestWork => WorkFolder.For(Root, Manifests, levels: 1);

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

    /// <summary>The folder of the blobs.</summary>
    internal string Blobs { get; }

    private string Manifests { get; }

    /// <summary>Where a blob belongs.</summary>
    public string BlobPath(BlobDigest digest) => Path.Combine(Blobs, digest.FileName);

    /// <summary>The bytes that there is room for; <see langword="null"/> where nobody can tell.</summary>
    public long? FreeBytes => FreeSpace.At(Work);

    /// <summary>Where a model's manifest belongs.</summary>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.InvalidModelName"/> where the file system cannot hold
    /// the name.</exception>
    public string ManifestPath(ModelName name)
    {
        StoreNames.RequireHoldable(name, isWindows: Path.DirectorySeparatorChar == '\\');
        return Path.Combine(Manifests, name.Host, name.Namespace, name.Model, name.Tag);
    }

    /// <summary>The size of a blob's file in bytes, that of its target if it is a link; <see langword="null"/> where there is none, or
    /// where it is no file.</summary>
    public long? BlobSize(BlobDigest digest) => FileFacts.TryRead(BlobPath(digest)) is { IsFile: true } facts ? facts.Size : null;

    /// <summary>Whether there is a manifest of the very name, of whatever content.</summary>
    internal bool HasManifest(ModelName name)
    {
        try
        {
            return File.Exists(ManifestPath(name));
        }
        catch (ModelFaultException)
        {
            // The file system cannot hold the name.
            return false;
        }
    }

    /// <summary>Where a model's manifest may be written.</summary>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.InvalidModelName"/> where the file system cannot hold the name,
    /// or takes it for another one that the store has.</exception>
    internal string NewManifestPath(ModelName name)
    {
        string path = ManifestPath(name);
        StoreFault.Guard(this, path, () => StoreNames.RequireOneSpelling(Manifests, name));
        return path;
    }

    /// <summary>Whether a file of the work folder is a manifest that was being written.</summary>
    internal static bool IsTemporaryManifest(string fileName) =>
        fileName.StartsWith(TemporaryManifest, StringComparison.Ordinal) && Guid.TryParseExact(fileName.Substring(TemporaryManifest.Length), "N", out _);

    /// <summary>Whether a blob's file is there with the size that a manifest names; it is not read.</summary>
    internal bool Has(Layer layer) => BlobSize(layer.Digest) == layer.Size;

    /// <summary>The names of all manifests, in the order of their names. Whatever is no name on exactly four levels is passed
    /// over, as Ollama does.</summary>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.StoreNotFound"/>, or <see cref="ModelFault.ManifestInvalid"/>
    /// where a folder cannot be read.</exception>
    public IReadOnlyList<ModelName> FindManifests()
    {
        // The folder of a volume that is not mounted is there, and empty.
        if (!Directory.Exists(Manifests) && !Directory.Exists(Blobs))
        {
            string why = Directory.Exists(Root) ? "the folder has neither blobs nor manifests" : "there is no such folder";
            throw new ModelFaultException(ModelFault.StoreNotFound, $"There is no store at '{Root}': {why}.", new FaultFacts { Path = Root });
        }

        IEnumerable<string> paths = Enumerable.Repeat(Manifests, Directory.Exists(Manifests) ? 1 : 0);
        for (int level = 0; level < 3; level++)
        {
            paths = paths.SelectMany(Directory.EnumerateDirectories);
        }

        try
        {
            return paths
                .SelectMany(Directory.EnumerateFiles)
                .Select(NameOf)
                .OfType<ModelName>()
                .OrderBy(name => name.Shortest, StringComparer.OrdinalIgnoreCase)
                .ToList();
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            throw new ModelFaultException(
                ModelFault.ManifestInvalid,
                $"The manifests of the store '{Root}' cannot be read: {e.Message}",
                new FaultFacts { Path = Manifests },
                e);
        }
    }

    /// <summary>Reads a manifest of the store. Where there is none of the very name, one is taken whose letters differ in their case
    /// alone, and it has that name: to Ollama it is the same.</summary>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.ManifestNotFound"/> or
    /// <see cref="ModelFault.ManifestInvalid"/>.</exception>
    public Manifest ReadManifest(ModelName name)
    {
        string path = ManifestPath(name);
        try
        {
            // Windows takes every spelling for the file's own.
            if ((Path.DirectorySeparatorChar == '\\' || !File.Exists(path)) && StoreNames.FindOtherCase(Manifests, name) is { } other)
            {
                name = other;
                path = ManifestPath(name);
            }

            // A pipe would be waited for.
            if (FileFacts.TryRead(path) is { IsFile: false })
            {
                throw new IOException("It is no file.");
            }

            using FileStream file = File.OpenRead(path);
            byte[] bytes = new byte[(int)Math.Min(file.Length, ManifestReader.MaximumBytes + 1)];
            int length = 0;
            for (int read = -1; read != 0 && length < bytes.Length; length += read)
            {
                read = file.Read(bytes, length, bytes.Length - length);
            }

            Array.Resize(ref bytes, length);
            Manifest manifest = ManifestReader.Read(name, path, bytes);
            return manifest.From(new OriginFile(this, name).TryRead(manifest.Digest));
        }
        catch (ModelFaultException e) when (e.Fault == ModelFault.ManifestInvalid)
        {
            e.Facts.Remedy = $"\"{SaveCommand.For(this, name, origin: null)}\" writes it anew.";
            throw;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ModelFaultException(
                ModelFault.ManifestNotFound,
                $"The store '{Root}' has no model '{name.Shortest}'.",
                new FaultFacts { Name = name.Shortest, Path = path, Remedy = $"Check the spelling of model and tag; \"Get-ModelManifest -Local -StorePath {SaveCommand.Quote(Root)}\" lists what the store has." },
                e);
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            throw new ModelFaultException(
                ModelFault.ManifestInvalid,
                $"The manifest of {name.Shortest} at '{path}' cannot be read: {e.Message}",
                new FaultFacts { Name = name.Shortest, Path = path },
                e);
        }
    }

    /// <summary>Writes a manifest, byte for byte, whole or not at all.</summary>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.StoreNotWritable"/> or
    /// <see cref="ModelFault.StoreWriteFailed"/>.</exception>
    public void WriteManifest(Manifest manifest)
    {
        string path = NewManifestPath(manifest.Name);

        StoreFault.Guard(this, path, () =>
        {
            string folder = Path.GetDirectoryName(path)!;
            DurableFile.CreateFolder(this, folder);

            // Beside means a work folder: whatever lies four levels deep under manifests/ counts as a model.
            string work = WorkFolder.For(Root, folder, TagLevels);
            CreateWork(work);
            string temporary = Path.Combine(work, $"{TemporaryManifest}{Guid.NewGuid():N}");
            try
            {
                DurableFile.WriteWhole(this, manifest.GetBytes(), temporary, path);
            }
            finally
            {
                File.Delete(temporary);
            }
        });
    }

    /// <summary>Creates the folder of unfinished work, and sees that it is one.</summary>
    /// <exception cref="IOException">It cannot be created, a link stands in its place, or it is a volume of its own.</exception>
    internal void CreateWork()
    {
        CreateWork(Work);
        if (!_isWorkSeen)
        {
            WorkFolder.RequireOneVolume(Work, Directory.Exists(Blobs) ? Blobs : Root);
            _isWorkSeen = true;
        }
    }

    private void CreateWork(string path)
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

    private ModelName? NameOf(string path)
    {
        string relative = path.Substring(Manifests.Length + 1).Replace(Path.DirectorySeparatorChar, '/');
        int colon = relative.LastIndexOf('/');
        string text = $"{relative.Substring(0, colon)}:{relative.Substring(colon + 1)}";
        return ModelName.TryParse(text, out ModelName? name, out _) ? name : null;
    }
}
