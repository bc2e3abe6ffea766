using System.Runtime.InteropServices;
using PSModel.Core.Faults;

namespace PSModel.Core.Store;

/// <summary>
/// A lock of the operating system on an open file; it ends with its process. The first of a store is proved: there are file systems
/// that say yes and lock nothing.
/// </summary>
internal sealed class LockFile : IDisposable
{
    private readonly string _path;
    private readonly bool _isRemoved;
    private readonly FileStream? _stream;
    private int _descriptor = -1;

    private LockFile(string path, bool isRemoved, FileStream stream)
    {
        _path = path;
        _isRemoved = isRemoved;
        _stream = stream;
    }

    private LockFile(string path, bool isRemoved, int descriptor)
    {
        _path = path;
        _isRemoved = isRemoved;
        _descriptor = descriptor;
    }

    private static bool IsWindows { get; } = RuntimeInformation.IsOSPlatform(OSPlatform.Windows);

    /// <summary>Takes a lock if it is free.</summary>
    /// <param name="store">The store.</param>
    /// <param name="path">The file to lock; it is made if there is none.</param>
    /// <param name="isRemoved">Whether the file goes away with the lock.</param>
    /// <returns><see langword="null"/> where somebody else has it.</returns>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.BlobInUse"/> where locks do not hold.</exception>
    /// <exception cref="IOException">The file cannot be made, or is a link.</exception>
    public static LockFile? TryTake(ModelStore store, string path, bool isRemoved)
    {
        LockFile? taken = TryOpen(store, path, isRemoved);
        if (taken is null || store.AreLocksProved)
        {
            return taken;
        }

        try
        {
            // The file is open once more, as by another process: that must not get the lock.
            using LockFile? second = TryOpen(store, path, isRemoved: false);
            if (second is not null)
            {
                throw Useless(path, "a lock on it can be taken twice");
            }

            store.AreLocksProved = true;
            return taken;
        }
        catch
        {
            taken.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        if (_stream is not null)
        {
            _stream.Dispose();
            return;
        }

        int descriptor = Interlocked.Exchange(ref _descriptor, -1);
        if (descriptor < 0)
        {
            return;
        }

        try
        {
            if (_isRemoved)
            {
                File.Delete(_path);
            }
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            // It is empty, and the next call removes it.
        }
        finally
        {
            _ = UnixFile.Close(descriptor);
        }
    }

    private static LockFile? TryOpen(ModelStore store, string path, bool isRemoved) =>
        IsWindows ? TryOpenExclusively(path, isRemoved) : TryLock(store, path, isRemoved);

    private static LockFile? TryOpenExclusively(string path, bool isRemoved)
    {
        const uint Access = WindowsFile.Read | WindowsFile.Write;
        FileStream? stream = null;

        // Access is denied for moments to one that is being removed.
        HeldFile.Try(path, () =>
        {
            try
            {
                stream = new FileStream(
                    WindowsFile.Open(path, isRemoved ? Access | WindowsFile.Delete : Access, FileShare.None, WindowsFile.OpenAlways, isRemoved ? WindowsFile.DeleteOnClose : 0),
                    FileAccess.ReadWrite,
                    bufferSize: 1);
            }
            catch (IOException e) when (HeldFile.IsReason(e))
            {
                // Somebody else has it.
            }
        });
        return stream is null ? null : new LockFile(path, isRemoved, stream);
    }

    /// <summary>Opens a file to be locked, on Linux or macOS; one that is made is given to the store's owner.</summary>
    /// <returns>The descriptor.</returns>
    /// <exception cref="IOException">The file cannot be made, or is a link.</exception>
    public static int OpenFor(ModelStore store, string path)
    {
        bool isNew = store.Owner is not null && FileFacts.TryReadEntry(path) is null;
        int descriptor = UnixFile.Open(path, UnixFile.ReadWrite | UnixFile.Create);
        if (isNew)
        {
            store.Owner?.Give(descriptor);
        }

        return descriptor;
    }

    /// <summary>.NET's own lock passes over every error of the system, and an environment variable turns it off.</summary>
    private static LockFile? TryLock(ModelStore store, string path, bool isRemoved)
    {
        int descriptor = OpenFor(store, path);
        int error = UnixFile.Lock(descriptor);
        if (error == 0)
        {
            return new LockFile(path, isRemoved, descriptor);
        }

        _ = UnixFile.Close(descriptor);
        return error == UnixFile.WouldBlock ? null : throw CannotLock(path, error);
    }

    /// <summary>The fault of a file that the system does not lock.</summary>
    public static ModelFaultException CannotLock(string path, int error) => Useless(path, UnixFile.Failure("it cannot be locked", error).Message);

    private static ModelFaultException Useless(string path, string why) => new(
        ModelFault.BlobInUse,
        $"The file system of '{path}' does not keep two calls apart ({why}). Nothing is fetched there, for another process may be writing the same files. Keep the store on a file system that locks files, or save to a local folder and copy the models from there.",
        new FaultFacts { Path = path });
}
