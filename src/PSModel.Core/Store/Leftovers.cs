using System.Globalization;
using PSModel.Core.Faults;
using PSModel.Core.Names;

namespace PSModel.Core.Store;

/// <summary>
/// Removes from the work folder what earlier calls left and no call will use: work files of blobs that are there, and those that
/// nobody touched for 30 days, and block maps of blobs that are gone. What somebody holds stays. Thread-safe.
/// </summary>
/// <param name="store">The store.</param>
/// <param name="isPresentEnough">Whether a blob that is there has no use for work files; not where such blobs are fetched.</param>
internal sealed class Leftovers(ModelStore store, bool isPresentEnough)
{
    private const int Days = 30;

    /// <summary>Another machine writes its checkpoints every few seconds, and a block map moments before its blob is there.</summary>
    public static readonly TimeSpan OthersRest = TimeSpan.FromHours(1);

    private int _isRemoved;

    /// <summary>Removes it, once; called when something is about to be written, or was.</summary>
    /// <param name="tell">Told what was removed, and what could not be.</param>
    public void Remove(Action<string> tell)
    {
        if (Interlocked.Exchange(ref _isRemoved, 1) != 0)
        {
            return;
        }

        try
        {
            DateTime limit = DateTime.UtcNow.AddDays(-Days);
            foreach (IGrouping<BlobDigest, FileInfo> group in ByBlob(store))
            {
                RemoveOf(group.Key, [.. group], limit, tell);
            }

            foreach (string folder in new[] { store.Work, store.CommonWork }.Concat(store.Manifests.WorkFolders).Distinct())
            {
                RemoveOfModels(folder, limit, tell);
            }

            store.OfOthers().ToList().ForEach(other => RemoveOfOther(other, limit, tell));
        }
        catch (Exception e) when (StoreFault.IsOfStore(e) || e is ModelFaultException)
        {
            // Tidiness is no reason for a download to fail.
            tell($"What earlier calls left in '{store.Work}' could not be removed: {e.Message}");
        }
    }

    /// <summary>Whether a blob's file in the work folder is no unfinished work: locks are none, and what is set aside or linked is a
    /// blob.</summary>
    public static bool IsNoWork(string path) => Path.GetExtension(path) is BlobLock.Extension or BlobAside.Extension or BlobLinks.Extension;

    private static List<IGrouping<BlobDigest, FileInfo>> ByBlob(ModelStore at) =>
        [.. Files(at.Work, "sha256-*").Select(file => (Blob: BlobOf(file), File: file)).Where(pair => pair.Blob is not null).GroupBy(pair => pair.Blob!, pair => pair.File)];

    private static BlobDigest? BlobOf(FileInfo file)
    {
        int dot = file.Name.IndexOf('.');
        return dot > 0 && BlobDigest.TryParseFileName(file.Name.Substring(0, dot), out BlobDigest? digest) ? digest : null;
    }

    private static List<FileInfo> Files(string folder, string pattern) =>
        Directory.Exists(folder) ? [.. new DirectoryInfo(folder).EnumerateFiles(pattern)] : [];

    /// <summary>Manifests that were being written, uploads that were, and where models came from that are gone.</summary>
    private void RemoveOfModels(string folder, DateTime limit, Action<string> tell)
    {
        foreach (FileInfo file in Files(folder, "*").Where(file => file.LastWriteTimeUtc < limit && (StoredManifests.IsTemporary(file.Name) || WorkFile.IsOfUpload(file.Name) || OriginFile.IsUseless(store, file.FullName))))
        {
            file.Delete();
            tell($"'{file.FullName}', left by an earlier call and untouched for {Days} days, is removed.");
        }
    }

    /// <summary>Locks of other machines are not seen, so what they may still use is told by its age alone.</summary>
    private void RemoveOfOther(ModelStore other, DateTime limit, Action<string> tell)
    {
        DirectoryInfo folder = new(other.Work);
        if (other.Work != store.CommonWork && folder.EnumerateFileSystemInfos().Append(folder).All(entry => entry.LastWriteTimeUtc < limit))
        {
            Directory.Delete(other.Work, recursive: true);
            tell($"'{other.Work}', left by another machine and untouched for {Days} days, is removed.");
            return;
        }

        DateTime rest = DateTime.UtcNow - OthersRest;
        foreach (IGrouping<BlobDigest, FileInfo> group in ByBlob(other).Where(group => group.All(file => file.LastWriteTimeUtc < rest)))
        {
            RemoveUseless(other, group.Key, [.. group], limit, tell);
        }
    }

    private void RemoveOf(BlobDigest digest, List<FileInfo> seen, DateTime limit, Action<string> tell)
    {
        if (WhyUseless(store, digest, seen, limit, out _) is null)
        {
            return;
        }

        // Looked at again under the lock: whoever had it may have gone on.
        using BlobLock? held = BlobLock.TryAcquire(store, digest);
        if (held is not null)
        {
            RemoveUseless(store, digest, Files(store.Work, $"{digest.FileName}.*"), limit, tell);
        }
    }

    private void RemoveUseless(ModelStore at, BlobDigest digest, List<FileInfo> files, DateTime limit, Action<string> tell)
    {
        if (WhyUseless(at, digest, files, limit, out List<FileInfo> useless) is { } why)
        {
            long bytes = useless.Sum(file => file.Length);
            useless.ForEach(file => file.Delete());
            tell($"What an earlier call left of {digest} is removed, {ByteText.Of(bytes)}: {why}.");
        }
    }

    /// <summary>Why a blob's work files are of no use; <see langword="null"/> where they are, or where there are none.</summary>
    private string? WhyUseless(ModelStore at, BlobDigest digest, List<FileInfo> files, DateTime limit, out List<FileInfo> useless)
    {
        useless = [.. files.Where(file => !IsNoWork(file.Name))];
        bool hasOthers = useless.Exists(file => file.Extension != BlockMapFile.Extension);
        bool isOld = useless.TrueForAll(file => file.LastWriteTimeUtc < limit);
        long? present = at.BlobSize(digest);
        if (useless.Count > 0 && !hasOthers && FileFacts.TryReadEntry(at.BlobPath(digest)) is null)
        {
            return useless.TrueForAll(file => file.LastWriteTimeUtc < DateTime.UtcNow - OthersRest) ? "the blob is gone" : null;
        }

        if (useless.Count == 0 || !(hasOthers || isOld))
        {
            return null;
        }

        if (present is { } size)
        {
            useless.RemoveAll(file => file.Extension == BlockMapFile.Extension);
            isOld = useless.TrueForAll(file => file.LastWriteTimeUtc < limit);
            if (hasOthers && isPresentEnough && (new CheckpointFile(at, digest).BlobSize ?? size) == size)
            {
                return "the blob is there";
            }
        }

        return useless.Count > 0 && isOld ? $"nobody touched it for {Days} days" : null;
    }
}
