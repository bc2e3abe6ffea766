using System.Runtime.InteropServices;

namespace PSModel.Core.Store;

/// <summary>Flushes a whole volume, where that is known to tell of every write that failed. Stateless and thread-safe.</summary>
internal static class VolumeFlush
{
    /// <summary>Before this version Linux' <c>syncfs</c> passes over a file system's own failure to sync.</summary>
    private static readonly Version FirstHonest = new(5, 17);

    /// <summary><c>EXT4_SUPER_MAGIC</c>, <c>XFS_SUPER_MAGIC</c>, <c>BTRFS_SUPER_MAGIC</c> and <c>TMPFS_MAGIC</c> of Linux'
    /// <c>magic.h</c>. Others lie over file systems whose failures they do not see (overlayfs), or tell nobody to flush (FUSE).</summary>
    private static readonly long[] HonestFileSystems = [0xEF53, 0x58465342, 0x9123683E, FileSystemKind.Tmpfs];

    private static bool IsHonestSystem { get; } =
        RuntimeInformation.IsOSPlatform(OSPlatform.Linux) && IntPtr.Size == 8 && Environment.OSVersion.Version >= FirstHonest;

    /// <summary>Writes everything that the file's volume has in memory to the disk.</summary>
    /// <returns>Whether all of it is on the disk now, and nothing failed since the file was opened; if not, each file has to be
    /// flushed for itself, and will tell.</returns>
    public static bool TryRun(FileStream file)
    {
        try
        {
            return IsHonestSystem
                && FileSystemKind.Of(file.SafeFileHandle) is { } kind
                && HonestFileSystems.Contains(kind)
                && Sync(file.SafeFileHandle) == 0;
        }
        catch (Exception e) when (e is EntryPointNotFoundException or DllNotFoundException or ObjectDisposedException)
        {
            return false;
        }
    }

    [DllImport("libc", EntryPoint = "syncfs")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Sync(SafeHandle file);
}
