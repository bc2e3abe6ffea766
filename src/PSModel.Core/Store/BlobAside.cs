using PSModel.Core.Faults;
using PSModel.Core.Names;

namespace PSModel.Core.Store;

/// <summary>
/// A blob that lies in the work folder while the manifests are looked at once more, before it is removed: one that was written just
/// then may name it. What a call leaves that is killed meanwhile is put back by the next one. Stateless and thread-safe; the caller has
/// the blob's lock.
/// </summary>
internal static class BlobAside
{
    /// <summary>How the names of the files end.</summary>
    public const string Extension = ".aside";

    /// <summary>Where it lies.</summary>
    public static string PathOf(ModelStore store, BlobDigest digest) => Path.Combine(store.Work, digest.FileName + Extension);

    /// <summary>Takes a blob out of <c>blobs/</c>.</summary>
    /// <exception cref="IOException">It is not there, is held, or cannot be moved.</exception>
    public static void Put(ModelStore store, BlobDigest digest)
    {
        string path = store.BlobPath(digest);
        if (Path.DirectorySeparatorChar == '\\')
        {
            HeldFile.Try(path, () => WindowsFile.Rename(path, PathOf(store, digest)));
        }
        else
        {
            UnixFile.Rename(path, PathOf(store, digest));
        }
    }

    /// <summary>Puts a blob back where nothing has taken its place, and removes it where a file has.</summary>
    /// <exception cref="IOException">It cannot be moved; it stays aside.</exception>
    public static void PutBack(ModelStore store, BlobDigest digest)
    {
        string path = PathOf(store, digest);
        string final = store.BlobPath(digest);
        try
        {
            if (FileFacts.TryReadEntry(path) is not { IsFile: true })
            {
                // What is no file was never a blob.
                return;
            }

            DurableFile.CreateFolder(store, store.Blobs);
            if (DurableFile.TryRenameNew(path, final))
            {
                DurableFile.SyncFolder(store.Blobs);
            }
            else if (FileFacts.TryReadEntry(final) is { IsFolder: false })
            {
                DurableFile.Delete(path);
            }
        }
        catch (FileNotFoundException)
        {
            // Another call has put it back.
        }
    }

    /// <summary>Puts back what calls left that were killed, on this machine or another one.</summary>
    /// <param name="store">The store.</param>
    /// <param name="tell">Told what was put back, and what could not be.</param>
    public static void PutBackAll(ModelStore store, Action<string> tell)
    {
        try
        {
            foreach (BlobDigest digest in Find(store))
            {
                using BlobLock? held = BlobLock.TryAcquire(store, digest);
                if (held is not null)
                {
                    PutBack(store, digest, tell);
                }
            }

            foreach (ModelStore other in store.OfOthers())
            {
                // Its lock is not seen; but whoever removes it just now loses nothing where it is back.
                Find(other).ForEach(digest => PutBack(other, digest, tell));
            }
        }
        catch (Exception e) when (StoreFault.IsOfStore(e) || e is ModelFaultException)
        {
            tell($"What an earlier call set aside in '{store.Work}' could not be put back: {e.Message}");
        }
    }

    private static List<BlobDigest> Find(ModelStore store) =>
        [.. FolderEntries.Files(store.Work, $"*{Extension}").Select(path => BlobDigest.TryParseFileName(Path.GetFileNameWithoutExtension(path), out BlobDigest? digest) ? digest : null).OfType<BlobDigest>()];

    private static void PutBack(ModelStore at, BlobDigest digest, Action<string> tell)
    {
        PutBack(at, digest);
        tell($"{digest}, which an earlier call had set aside when it was ended, is back in '{at.Blobs}'.");
    }
}
