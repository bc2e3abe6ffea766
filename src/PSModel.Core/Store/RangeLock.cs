using System.Runtime.InteropServices;
using PSModel.Core.Names;

namespace PSModel.Core.Store;

/// <summary>
/// A lock of the operating system on one byte of a file, which byte being that of a blob: nothing is made or removed for it, and that
/// counts where blobs are many. It ends with its process. On Linux alone, and on the file systems of one machine.
/// </summary>
internal sealed class RangeLock : IDisposable
{
    /// <summary>Digits of a digest that give a position: fifteen, of four bits each, are no more than a file may be long.</summary>
    private const int Digits = 15;

    private int _descriptor;

    private RangeLock(int descriptor) => _descriptor = descriptor;

    /// <summary>Whether a store has such locks. Every process has to find the same: of two, one with such a lock and one with a file's,
    /// neither would know of the other. So what may come and go is an error.</summary>
    /// <param name="store">The store.</param>
    /// <param name="path">The file.</param>
    /// <exception cref="IOException">The file cannot be made, or is a link.</exception>
    /// <exception cref="Faults.ModelFaultException"><see cref="Faults.ModelFault.BlobInUse"/> where the file cannot be locked.</exception>
    public static bool IsKnown(ModelStore store, string path) => store.HasRangeLocks ??= Prove(store, path);

    /// <summary>Takes the lock of a blob if it is free.</summary>
    /// <param name="store">The store.</param>
    /// <param name="path">The file; it is made if there is none.</param>
    /// <param name="digest">The blob. Another one with the same last digits, which somebody can make, has to wait for it, and that is all.</param>
    /// <returns><see langword="null"/> where somebody else has it.</returns>
    /// <exception cref="IOException">The file cannot be made, or is a link.</exception>
    /// <exception cref="Faults.ModelFaultException"><see cref="Faults.ModelFault.BlobInUse"/> where the file cannot be locked.</exception>
    public static RangeLock? TryTake(ModelStore store, string path, BlobDigest digest)
    {
        int descriptor = LockFile.OpenFor(store, path);
        int error = FlockRequest.LockByte(descriptor, PositionOf(digest));
        if (error == 0)
        {
            return new RangeLock(descriptor);
        }

        _ = UnixFile.Close(descriptor);
        return error == UnixFile.WouldBlock ? null : throw LockFile.CannotLock(path, error);
    }

    public void Dispose()
    {
        int descriptor = Interlocked.Exchange(ref _descriptor, -1);
        if (descriptor >= 0)
        {
            _ = UnixFile.Close(descriptor);
        }
    }

    /// <summary>On a file system that others share too, another machine's kernel may know nothing of them. A byte beyond those of all
    /// blobs is locked twice, as by two processes: the second must not get it.</summary>
    private static bool Prove(ModelStore store, string path)
    {
        const long Beyond = 1L << (4 * Digits);
        if (!RuntimeInformation.IsOSPlatform(OSPlatform.Linux) || IntPtr.Size != sizeof(long) || store.CommonWork != store.Work)
        {
            return false;
        }

        int first = LockFile.OpenFor(store, path);
        int second = -1;
        try
        {
            second = LockFile.OpenFor(store, path);
            int error = FlockRequest.LockByte(first, Beyond);
            error = error == 0 ? FlockRequest.LockByte(second, Beyond) : error;

            // Where the first did not get it another process is proving just now, and proves it.
            if (error != 0 && error != UnixFile.WouldBlock && !FlockRequest.IsUnknown(error))
            {
                throw LockFile.CannotLock(path, error);
            }

            return error == UnixFile.WouldBlock;
        }
        finally
        {
            _ = UnixFile.Close(first);
            _ = second < 0 ? 0 : UnixFile.Close(second);
        }
    }

    private static long PositionOf(BlobDigest digest)
    {
        string name = digest.FileName;
        long position = 0;
        for (int i = name.Length - Digits; i < name.Length; i++)
        {
            position = (position << 4) | (long)Uri.FromHex(name[i]);
        }

        return position;
    }
}
