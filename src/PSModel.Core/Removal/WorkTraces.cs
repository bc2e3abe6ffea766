using PSModel.Core.Names;
using PSModel.Core.Store;

namespace PSModel.Core.Removal;

/// <summary>What the work folders hold of blobs, as it was when they were looked at. Immutable and thread-safe.</summary>
internal sealed class WorkTraces
{
    private readonly ILookup<string, string> _paths;

    private WorkTraces(ILookup<string, string> paths) => _paths = paths;

    /// <summary>Looks at them, once for many blobs.</summary>
    /// <param name="at">The store, as one machine works on it.</param>
    public static WorkTraces Look(ModelStore at) => new(new[] { at.Work, at.CommonWork }.Distinct().SelectMany(folder => FolderEntries.Files(folder, "sha256-*")).ToLookup(FirstPart));

    /// <summary>The files of a blob that are there: unfinished work, and block maps.</summary>
    public List<RemovedFile> Of(BlobDigest digest) => [.. _paths[digest.FileName].Select(path => TryRead(path, digest)).OfType<RemovedFile>()];

    /// <summary>The files of all blobs in a work folder.</summary>
    public static IEnumerable<IGrouping<BlobDigest, RemovedFile>> All(string folder) => FolderEntries.Files(folder, "sha256-*")
        .Select(path => BlobDigest.TryParseFileName(FirstPart(path), out BlobDigest? digest) ? TryRead(path, digest) : null)
        .OfType<RemovedFile>()
        .GroupBy(file => file.Digest!);

    /// <summary>A file as it is; <see langword="null"/> where it is gone.</summary>
    public static RemovedFile? TryRead(string path, RemovedKind kind, ModelName? name = null, BlobDigest? digest = null, string? mediaType = null) =>
        FileFacts.TryReadEntry(path) is { IsFolder: false } facts ? new RemovedFile(kind, path, facts.IsLink ? 0 : facts.Size, name, digest, mediaType) : null;

    private static RemovedFile? TryRead(string path, BlobDigest digest) => Path.GetExtension(path) switch
    {
        _ when Leftovers.IsNoWork(path) => null,
        BlockMapFile.Extension => TryRead(path, RemovedKind.BlockMap, digest: digest),
        _ => TryRead(path, RemovedKind.Partial, digest: digest),
    };

    private static string FirstPart(string path)
    {
        string file = Path.GetFileName(path);
        int dot = file.IndexOf('.');
        return dot < 0 ? string.Empty : file.Substring(0, dot);
    }
}
