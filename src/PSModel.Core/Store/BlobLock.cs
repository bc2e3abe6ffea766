using PSModel.Core.Names;

namespace PSModel.Core.Store;

/// <summary>
/// The right to fetch one blob into one store, held by one transfer on the machine at a time. It is a lock of the
/// operating system on an open file, so it ends with its process, however that ends.
/// </summary>
/// <remarks>The file goes away with the lock. Whoever opened it just before would then lock a file that nobody else finds;
/// therefore files are opened and removed under a second lock, on a file that stays.</remarks>
internal sealed class BlobLock : IDisposable
{
    private const string GateName = "lock";

    private readonly ModelStore _store;
    private readonly FileStream _file;

    private BlobLock(ModelStore store, FileStream file)
    {
        _store = store;
        _file = file;
    }

    /// <summary>Takes the lock if it is free.</summary>
    /// <exception cref="IOException">The file cannot be made, for another reason than that it is held.</exception>
    public static BlobLock? TryAcquire(ModelStore store, BlobDigest digest)
    {
        using FileStream gate = EnterGate(store);
        FileStream? file = TryOpen(Path.Combine(store.Work, $"{digest.FileName}.lock"), FileOptions.DeleteOnClose);
        return file is null ? null : new BlobLock(store, file);
    }

    public void Dispose()
    {
        using FileStream gate = EnterGate(_store);
        _file.Dispose();
    }

    /// <summary>Held for as long as it takes to open or to close a file, so waiting for it is short.</summary>
    private static FileStream EnterGate(ModelStore store)
    {
        DurableFile.CreateFolder(store.Work);
        while (true)
        {
            if (TryOpen(Path.Combine(store.Work, GateName), FileOptions.None) is { } gate)
            {
                return gate;
            }

            Thread.Sleep(1);
        }
    }

    private static FileStream? TryOpen(string path, FileOptions options)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1, options);
        }
        catch (IOException e) when (StoreFault.IsHeld(e))
        {
            return null;
        }
    }
}
