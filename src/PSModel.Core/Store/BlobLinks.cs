using System.Runtime.InteropServices;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Reading;
using PSModel.Core.Verification;

namespace PSModel.Core.Store;

/// <summary>
/// Hard links to the blobs of a model, in the work folder, for the moments in which its manifest is written: what another program
/// removes just then is put back from them, since it looked at the manifests before this one was there. What a call leaves that is killed
/// meanwhile, the next one clears. For one thread at a time.
/// </summary>
/// <remarks>A lock says that the call is at work. Where there are no hard links, or none for this user (Linux gives none to what
/// others own), there is nothing to put back from.</remarks>
internal sealed class BlobLinks : IDisposable
{
    /// <summary>How the names of the files end.</summary>
    public const string Extension = ".kept";

    private readonly ModelStore _store;
    private readonly Action<string> _tell;
    private readonly string _id = Guid.NewGuid().ToString("N");
    private readonly HashSet<BlobDigest> _linked = [];
    private BlobLock? _lock;

    private BlobLinks(ModelStore store, Action<string> tell)
    {
        _store = store;
        _tell = tell;
    }

    private static bool IsWindows { get; } = RuntimeInformation.IsOSPlatform(OSPlatform.Windows);

    /// <summary>Links what is there of a model.</summary>
    /// <param name="store">The store.</param>
    /// <param name="manifest">The model.</param>
    /// <param name="tell">Told of what could not be linked, or put back.</param>
    public static BlobLinks Make(ModelStore store, Manifest manifest, Action<string> tell)
    {
        BlobLinks links = new(store, tell);
        try
        {
            links.Fill(manifest);
        }
        catch (Exception e) when (StoreFault.IsOfStore(e) || e is ModelFaultException)
        {
            // The manifest can be written without them.
            tell($"The blobs of {manifest.Name.Shortest} could not be linked into '{store.Work}': {e.Message}");
        }

        return links;
    }

    /// <summary>Puts a blob back that is gone.</summary>
    /// <param name="digest">The blob.</param>
    /// <param name="isVerified">Whether this call has brought it. If not, it is read: another program may have removed it for being
    /// wrong.</param>
    /// <param name="cancellationToken">Ends the reading; then it is not put back.</param>
    /// <returns>Whether it is back.</returns>
    public async Task<bool> PutBackAsync(BlobDigest digest, bool isVerified, CancellationToken cancellationToken) =>
        _linked.Contains(digest) && await PutBackAsync(_store, PathOf(digest), digest, isVerified, _tell, cancellationToken).ConfigureAwait(false);

    /// <summary>Clears what calls left that were killed. What is gone meanwhile, is named by a manifest and is right is put back first.</summary>
    /// <param name="store">The store.</param>
    /// <param name="tell">Told what was put back, and what could not be cleared.</param>
    /// <param name="cancellationToken">Ends the reading of what may be put back; then it stays for the next call.</param>
    public static void ClearAll(ModelStore store, Action<string> tell, CancellationToken cancellationToken)
    {
        try
        {
            foreach (IGrouping<string, string> call in Find(store.Work).GroupBy(IdOf).ToList())
            {
                using BlobLock? held = BlobLock.TryAcquire(store, call.Key);
                if (held is not null)
                {
                    Clear(store, call, tell, cancellationToken);
                }
            }

            foreach (ModelStore other in store.OfOthers().Where(other => Directory.GetLastWriteTimeUtc(other.Work) < DateTime.UtcNow - Leftovers.OthersRest))
            {
                Clear(store, Find(other.Work), tell, cancellationToken);
            }
        }
        catch (Exception e) when (StoreFault.IsOfStore(e) || e is ModelFaultException)
        {
            tell($"What an earlier call had linked in '{store.Work}' could not be cleared: {e.Message}");
        }
    }

    /// <summary>Removes the links. That of a blob that is gone stays, for it may be the last, and so does what somebody holds: the next
    /// call sees to them.</summary>
    public void Dispose()
    {
        foreach (BlobDigest digest in _linked.Where(digest => !IsGone(_store, digest)))
        {
            TryDelete(PathOf(digest), _tell);
        }

        _lock?.Dispose();
    }

    private static IEnumerable<string> Find(string work) => FolderEntries.Files(work, $"sha256-*{Extension}");

    /// <summary>Which call linked it.</summary>
    private static string IdOf(string path) => Path.GetExtension(Path.GetFileNameWithoutExtension(path)).TrimStart('.');

    private static bool IsGone(ModelStore store, BlobDigest digest) => FileFacts.TryReadEntry(store.BlobPath(digest)) is null;

    private static void Clear(ModelStore store, IEnumerable<string> paths, Action<string> tell, CancellationToken cancellationToken)
    {
        Lazy<HashSet<BlobDigest>?> named = new(() => FindNamed(store));
        foreach (string path in paths.Where(path => FileFacts.TryReadEntry(path) is { IsFile: true }))
        {
            string file = Path.GetFileName(path);
            if (!BlobDigest.TryParseFileName(file.Substring(0, file.IndexOf('.')), out BlobDigest? digest))
            {
                continue;
            }

            bool isWanted = IsGone(store, digest) && named.Value?.Contains(digest) != false;
            if (isWanted)
            {
                if (PutBackAsync(store, path, digest, isVerified: false, tell, cancellationToken).GetAwaiter().GetResult())
                {
                    tell($"{digest}, which another program removed as an earlier call was ended, is back in '{store.Blobs}'.");
                }

                cancellationToken.ThrowIfCancellationRequested();
            }

            if (!isWanted || !IsGone(store, digest))
            {
                TryDelete(path, tell);
            }
        }
    }

    /// <summary>What manifests name, those too that another one shadows; <see langword="null"/> where one of them cannot be read. A file that
    /// is no model's is none.</summary>
    /// <exception cref="ModelFaultException">There is no store, or a folder cannot be read.</exception>
    private static HashSet<BlobDigest>? FindNamed(ModelStore store)
    {
        IReadOnlyList<CountedManifest> all = ManifestCensus.Take(store).Manifests;
        bool isKnown = all.All(each => each.Unreadable is null || (store.Manifests.ModelAt(each.Path) is null && FileFacts.TryReadEntry(each.Path) is not { IsLink: true }));
        return isKnown ? [.. all.SelectMany(each => each.Blobs.Keys)] : null;
    }

    private static async Task<bool> PutBackAsync(ModelStore store, string path, BlobDigest digest, bool isVerified, Action<string> tell, CancellationToken cancellationToken)
    {
        try
        {
            if (!isVerified && (await BlobReader.ReadAsync(path, ReadMode.Buffered, onRead: null, cancellationToken).ConfigureAwait(false)).Digest != digest)
            {
                tell($"{digest}, which another program removed, is not put back: its bytes, as they were read from '{path}', are wrong.");
                TryDelete(path, tell);
                return false;
            }

            DurableFile.CreateFolder(store, store.Blobs);

            // On Windows a file that is being removed keeps its name while somebody has it open.
            HeldFile.Try(path, () => DurableFile.Link(path, store.BlobPath(digest)));
            DurableFile.SyncFolder(store.Blobs);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
        catch (Exception e) when (StoreFault.IsOfStore(e) || e is ModelFaultException)
        {
            // Another program may have brought it meanwhile.
            if (IsGone(store, digest))
            {
                tell($"{digest} could not be put back from '{path}': {e.Message}");
            }

            return false;
        }
    }

    private static void TryDelete(string path, Action<string> tell)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            // On Windows who has a blob open without leave to delete it holds its links as well.
            tell($"'{path}' could not be removed, and the next call tries again: {e.Message}");
        }
    }

    private string PathOf(BlobDigest digest) => Path.Combine(_store.Work, $"{digest.FileName}.{_id}{Extension}");

    private void Fill(Manifest manifest)
    {
        _store.CreateWork();
        if (FileSystemKind.IsOverlay(_store.Work))
        {
            // There a link to what an image brought is a copy of all of it.
            _tell($"'{_store.Work}' is on an overlay, so that nothing is linked there.");
            return;
        }

        _lock = BlobLock.TryAcquire(_store, _id);
        bool isTold = _lock is null;
        foreach (BlobDigest digest in _lock is null ? [] : manifest.Blobs.Select(layer => layer.Digest).Distinct())
        {
            try
            {
                TryLink(digest);
            }
            catch (Exception e) when (StoreFault.IsOfStore(e))
            {
                if (!isTold)
                {
                    _tell($"{e.Message} Were it removed while the manifest is written, it could not be put back.");
                    isTold = true;
                }
            }
        }
    }

    private void TryLink(BlobDigest digest)
    {
        string path = _store.BlobPath(digest);

        // A link leads elsewhere, and so does its second name; and Windows removes no name of what is not to be written.
        if (FileFacts.TryReadEntry(path) is not { IsFile: true } || (IsWindows && (File.GetAttributes(path) & FileAttributes.ReadOnly) != 0))
        {
            return;
        }

        DurableFile.Link(path, PathOf(digest));
        _linked.Add(digest);
    }
}
