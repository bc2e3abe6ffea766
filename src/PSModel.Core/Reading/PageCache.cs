using System.Runtime.InteropServices;
using PSModel.Core.Store;

namespace PSModel.Core.Reading;

/// <summary>Makes the operating system forget what it keeps of a file, so that the next read comes from the disk. Stateless and
/// thread-safe.</summary>
internal static class PageCache
{
    /// <summary><c>POSIX_FADV_DONTNEED</c> of Linux' <c>fcntl.h</c>.</summary>
    private const int DontNeed = 4;

    /// <summary>Drops a file from the cache, after what was written of it is on the disk.</summary>
    /// <returns>Whether the system took the advice; only Linux can be given it, and of a file that lies in memory it is none.</returns>
    public static bool TryDrop(string path)
    {
        if (!RuntimeInformation.IsOSPlatform(OSPlatform.Linux) || IntPtr.Size < sizeof(long))
        {
            return false;
        }

        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            int descriptor = (int)file.SafeFileHandle.DangerousGetHandle();
            return !IsInMemory(file) && Sync(descriptor) == 0 && Advise(descriptor, 0, 0, DontNeed) == 0;
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            return false;
        }
    }

    /// <summary>Whether a read past the cache comes from a disk: macOS may serve what the cache has, and a file may lie in memory
    /// alone.</summary>
    public static bool CanBePassed(string path)
    {
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return !RuntimeInformation.IsOSPlatform(OSPlatform.OSX) && !IsInMemory(file);
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            return false;
        }
    }

    private static bool IsInMemory(FileStream file) => FileSystemKind.Of(file.SafeFileHandle) is FileSystemKind.Tmpfs or FileSystemKind.Ramfs;

    [DllImport("libc", EntryPoint = "fsync")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Sync(int descriptor);

    [DllImport("libc", EntryPoint = "posix_fadvise")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Advise(int descriptor, long offset, long length, int advice);
}
