using PSModel.Core.Names;

namespace PSModel.Core.Store;

/// <summary>
/// Keeps the finished blobs of a call from being cleaned up before their manifest is there. At its start <c>ollama serve</c> removes
/// what no manifest names and was not written to for an hour, and a large model takes longer. So from time to time they are said to
/// have been written just now; those that a manifest names are left as they are, for backups look at that time. Thread-safe.
/// </summary>
internal sealed class FreshBlobs : IDisposable
{
    /// <summary>Many come at once, and the manifests are looked at for all of them together.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(100);

    /// <summary>A file server's clock may go so much behind, and a file's time may be so coarse.</summary>
    private static readonly TimeSpan Inexact = TimeSpan.FromMinutes(1);

    private readonly ModelStore _store;
    private readonly TimeSpan _interval;
    private readonly Action<string> _tell;
    private readonly object _gate = new();

    /// <summary>With each a time before which its file was not there.</summary>
    private readonly Dictionary<BlobDigest, DateTime> _blobs = [];
    private readonly Timer _timer;
    private bool _isSoon;

    /// <summary>Whether files get the time of this machine, by the first that was looked at.</summary>
    private bool? _isOneClock;

    /// <summary>Begins; nothing is written while there are no blobs.</summary>
    /// <param name="store">The store.</param>
    /// <param name="interval">A blob that was written to so lately needs nothing.</param>
    /// <param name="tell">Told of what could not be done.</param>
    public FreshBlobs(ModelStore store, TimeSpan interval, Action<string> tell)
    {
        _store = store;
        _interval = interval;
        _tell = tell;
        _timer = new Timer(_ => Touch(), null, interval, interval);
    }

    /// <summary>A blob is in the store. One that was written to long ago is seen to soon, and not at the next interval.</summary>
    /// <param name="digest">The blob.</param>
    /// <param name="notBefore">Before this time its file was not there, where that is known: of thousands that have just been
    /// fetched none is looked at.</param>
    public void Add(BlobDigest digest, DateTime notBefore = default)
    {
        lock (_gate)
        {
            notBefore = notBefore != default && IsOneClock(digest, notBefore) ? notBefore : default;
            _blobs[digest] = notBefore;
            if (!_isSoon && MayBeOld(notBefore) && IsOld(_store.BlobPath(digest)))
            {
                _isSoon = true;
                _timer.Change(Soon, _interval);
            }
        }
    }

    /// <summary>Says of all that were added, and that no manifest names, that they were written just now.</summary>
    public void Touch()
    {
        HashSet<string>? named = null;
        lock (_gate)
        {
            _isSoon = false;
        }

        foreach (string path in FindOld().Select(_store.BlobPath))
        {
            try
            {
                if (IsOld(path) && !(named ??= FindNamed()).Contains(path))
                {
                    File.SetLastWriteTimeUtc(path, DateTime.UtcNow);
                }
            }
            catch (Exception e) when (StoreFault.IsOfStore(e))
            {
                // It is there all the same, and whether it still is when the manifest is written is looked at then.
                _tell($"The time of '{path}' could not be set: {e.Message}");
            }
        }
    }

    /// <summary>Returns when nothing is written any more.</summary>
    public void Dispose()
    {
        using ManualResetEvent ended = new(false);
        if (_timer.Dispose(ended))
        {
            ended.WaitOne();
        }
    }

    /// <summary>Where nobody can tell what is named, nothing is.</summary>
    private HashSet<string> FindNamed()
    {
        try
        {
            return [.. _store.Manifests.FindNamedBlobs().Select(_store.BlobPath)];
        }
        catch (Faults.ModelFaultException)
        {
            return [];
        }
    }

    /// <summary>A link leads to another disk, and Ollama looks at the link's own time.</summary>
    private static bool IsFile(string path) => FileFacts.TryReadEntry(path) is { IsFile: true };

    private bool IsOneClock(BlobDigest digest, DateTime notBefore) =>
        _isOneClock ??= File.GetLastWriteTimeUtc(_store.BlobPath(digest)) >= notBefore - Inexact;

    private bool MayBeOld(DateTime notBefore) => notBefore < DateTime.UtcNow - _interval;

    private bool IsOld(string path) => IsFile(path) && File.GetLastWriteTimeUtc(path) < DateTime.UtcNow - _interval;

    /// <summary>Those that may have been written to long ago.</summary>
    private BlobDigest[] FindOld()
    {
        lock (_gate)
        {
            return [.. _blobs.Where(blob => MayBeOld(blob.Value)).Select(blob => blob.Key)];
        }
    }
}
