using System.Runtime.InteropServices;

namespace PSModel.Core.Store;

/// <summary>Asks Linux which file system an open file is on. Stateless and thread-safe.</summary>
internal static class FileSystemKind
{
    /// <summary><c>TMPFS_MAGIC</c> of Linux' <c>magic.h</c>.</summary>
    public const long Tmpfs = 0x01021994;

    /// <summary><c>RAMFS_MAGIC</c>.</summary>
    public const long Ramfs = 0x858458F6;

    /// <summary>The number by which <c>magic.h</c> knows it; <see langword="null"/> where that cannot be told.</summary>
    public static long? Of(SafeHandle file)
    {
        if (!RuntimeInformation.IsOSPlatform(OSPlatform.Linux) || IntPtr.Size != sizeof(long))
        {
            return null;
        }

        // struct statfs begins with f_type, a long, and has less than this.
        long[] facts = new long[64];
        return Ask(file, facts) == 0 ? facts[0] : null;
    }

    [DllImport("libc", EntryPoint = "fstatfs")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Ask(SafeHandle file, [Out] long[] facts);
}
