using PSModel.Core.Names;

namespace PSModel.Core.Store;

/// <summary>
/// The right to fetch one blob into one store, held by one transfer on the machine at a time. It is a lock of the
/// operating system on an open file, so it ends with its process, however that ends.
/// </summary>
/// <remarks>The file goes away with the lock. Whoever opened it just before would then lock a file that nobody else finds;
/// therefore files are opened and removed under a second lock, on a file that stays. Where single bytes can be locked, each blob has a
/// byte of that file, which whoever holds the blob has locked; one that is fetched in a moment has no file of its own then. (Versions
/// before 0.6.6 know the files alone, so what takes longer has both.)</remarks>
internal sealed class BlobLock : IDisposable
{
    /// <summary>How the names of the files end.</summary>
    public const string Extension = ".lock";

    private const string GateName = "lock";

    /// <summary>A millisecond each.</summary>
    private const int GateTries = 500;

    private static readonly TimeSpan LockLook = TimeSpan.FromMilliseconds(200);

    private readonly ModelStore _store;
    private readonly RangeLock? _range;
    private readonly LockFile? _file;
    private readonly bool _isFileLeft;

    private BlobLock(ModelStore store, RangeLock? range, LockFile? file, bool isFileLeft)
    {
        _store = store;
        _range = range;
        _file = file;
        _isFileLeft = isFileLeft;
    }

    /// <summary>Takes the lock if it is free.</summary>
    /// <param name="store">The store.</param>
    /// <param name="digest">The blob.</param>
    /// <param name="isBrief">It is held for a moment, as others by the thousand: there is no file where there need be none, and else
    /// it is left for <see cref="Sweep"/>. Where thousands of files are made and removed in turn, file systems look long for a place of
    /// a new one (ext4 passes over those of the last seconds, one by one).</param>
    /// <exception cref="IOException">The file cannot be made, for another reason than that it is held.</exception>
    /// <exception cref="Faults.ModelFaultException"><see cref="Faults.ModelFault.BlobInUse"/> where locks do not hold.</exception>
    public static BlobLock? TryAcquire(ModelStore store, BlobDigest digest, bool isBrief = false)
    {
        store.CreateWork();
        string path = GatePath(store);
        RangeLock? range = null;
        if (RangeLock.IsKnown(store, path))
        {
            range = RangeLock.TryTake(store, path, digest);
            if (range is null)
            {
                return null;
            }
        }

        BlobLock? taken = null;
        try
        {
            // A file may be held by an earlier version.
            bool needsFile = range is null || !isBrief || FileFacts.TryReadEntry(PathOf(store, digest.FileName)) is not null;
            taken = needsFile ? TryAcquire(store, digest.FileName, range, isBrief) : new BlobLock(store, range, file: null, isFileLeft: false);
            return taken;
        }
        finally
        {
            if (taken is null)
            {
                range?.Dispose();
            }
        }
    }

    /// <summary>The same for something else than a blob, of which a file alone is locked.</summary>
    /// <param name="store">The store.</param>
    /// <param name="name">What it is called.</param>
    public static BlobLock? TryAcquire(ModelStore store, string name) => TryAcquire(store, name, range: null, isFileLeft: false);

    /// <summary>Removes the files that locks left, of calls that were killed as well, where nobody holds them now.</summary>
    public static void Sweep(ModelStore store)
    {
        using LockFile? gate = EnterGate(store);
        foreach (string path in gate is null ? [] : Directory.GetFiles(store.Work, "*" + Extension))
        {
            LockFile.TryTake(store, path, isRemoved: true)?.Dispose();
        }
    }

    /// <summary>Takes the lock, and waits for it where another process has it.</summary>
    /// <param name="store">The store.</param>
    /// <param name="digest">The blob.</param>
    /// <param name="tell">Told when there is a wait.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="Faults.ModelFaultException">The store cannot be written.</exception>
    public static async Task<BlobLock> AcquireAsync(ModelStore store, BlobDigest digest, Action<string> tell, CancellationToken cancellationToken)
    {
        bool isTold = false;
        while (true)
        {
            BlobLock? held = null;
            StoreFault.Guard(store, store.Work, () => held = TryAcquire(store, digest));
            if (held is not null)
            {
                return held;
            }

            if (!isTold)
            {
                tell($"Another process is fetching {digest} into this store; waiting for it.");
                isTold = true;
            }

            await Task.Delay(LockLook, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Lets go, whatever the state of the store: a failure to do so in order would hide the one that led here.</summary>
    public void Dispose()
    {
        try
        {
            DisposeFile();
        }
        finally
        {
            _range?.Dispose();
        }
    }

    private static BlobLock? TryAcquire(ModelStore store, string name, RangeLock? range, bool isFileLeft)
    {
        using LockFile? gate = EnterGate(store);
        LockFile? file = gate is null ? null : LockFile.TryTake(store, PathOf(store, name), isRemoved: !isFileLeft);
        return file is null ? null : new BlobLock(store, range, file, isFileLeft);
    }

    private static string GatePath(ModelStore store) => Path.Combine(store.Work, GateName);

    private static string PathOf(ModelStore store, string name) => Path.Combine(store.Work, name + Extension);

    private void DisposeFile()
    {
        if (_file is null || _isFileLeft)
        {
            _file?.Dispose();
            return;
        }

        LockFile? gate = null;
        try
        {
            gate = EnterGate(_store);
        }
        catch (Exception e) when (StoreFault.IsOfStore(e) || e is Faults.ModelFaultException)
        {
            // A store that can no longer be written has no third process that takes the lock either.
        }
        finally
        {
            try
            {
                _file.Dispose();
            }
            finally
            {
                // While the gate is held nobody gets any lock.
                gate?.Dispose();
            }
        }
    }

    /// <summary>Held for as long as it takes to open or to close a file, so a short wait is enough; a process that was
    /// suspended just then must not hold up all others for good.</summary>
    private static LockFile? EnterGate(ModelStore store)
    {
        store.CreateWork();
        string path = GatePath(store);
        LockFile? gate = LockFile.TryTake(store, path, isRemoved: false);
        for (int tries = 0; gate is null && tries < GateTries; tries++)
        {
            Thread.Sleep(1);
            gate = LockFile.TryTake(store, path, isRemoved: false);
        }

        return gate;
    }
}
