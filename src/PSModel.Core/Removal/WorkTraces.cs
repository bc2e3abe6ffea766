using PSModel.Core.Names;
using PSModel.Core.Store;

namespace PSModel.Core.Removal;

/// <summary>What the work folders hold of blobs. Stateless and thread-safe.</summary>
internal static class WorkTraces
{
    /// <summary>The files of a blob: unfinished work, and block maps.</summary>
    /// <param name="at">The store, as one machine works on it.</param>
    /// <param name="digest">The blob.</param>
    public static List<RemovedFile> Of(ModelStore at, BlobDigest digest) =>
        [.. new[] { at.Work, at.CommonWork }.Distinct().SelectMany(folder => FolderEntries.Files(folder, $"{digest.FileName}.*")).Select(path => TryRead(path, digest)).OfType<RemovedFile>()];

    /// <summary>The files of all blobs in a work folder.</summary>
    public static IEnumerable<IGrouping<BlobDigest, RemovedFile>> All(string folder) => FolderEntries.Files(folder, "sha256-*")
        .Select(path => BlobDigest.TryParseFileName(FirstPart(path), out BlobDigest? digest) ? TryRead(path, digest) : null)
        .OfType<RemovedFile>()
        .GroupBy(file => file.Digest!);

    /// <summary>A file as it is; <see langword="null"/> where it is gone.</summary>
    public static RemovedFile? TryRead(string path, RemovedKind kind, ModelName? name = null, BlobDigest? digest = null, string? mediaType = null) =>
        FileFacts.TryReadEntry(path) is { IsFolder: false } facts ? new RemovedFile(kind, path, facts.IsLink ? 0 : facts.Size, name, digest, mediaType) : null;

    /// <summary>Locks are no work, and what is set aside is a blob.</summary>
    private static RemovedFile? TryRead(string path, BlobDigest digest) => Path.GetExtension(path) switch
    {
        BlobLock.Extension or BlobAside.Extension => null,
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
