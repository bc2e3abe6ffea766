using System.Runtime.InteropServices;

namespace PSModel.Core.Store;

/// <summary>Asks Linux which file system an open file is on. Stateless and thread-safe.</summary>
internal static class FileSystemKind
{
    /// <summary><c>TMPFS_MAGIC</c> of Linux' <c>magic.h</c>.</summary>
    public const long Tmpfs = 0x01021994;

    /// <summary><c>RAMFS_MAGIC</c>.</summary>
    public const long Ramfs = 0x858458F6;

    /// <summary><c>OVERLAYFS_SUPER_MAGIC</c>.</summary>
    private const long Overlay = 0x794C7630;

    /// <summary>Those on a disk or in the memory of one machine, by the names of <c>magic.h</c>: ext2 to ext4, xfs, btrfs, tmpfs, ramfs,
    /// overlayfs, f2fs, fat, exfat, ntfs3, jfs, reiserfs, hfs+; and zfs and bcachefs by their own.</summary>
    private static readonly long[] Local =
    [
        0xEF53, 0x58465342, 0x9123683E, Tmpfs, Ramfs, Overlay, 0xF2F52010, 0x4D44, 0x2011BAB0, 0x7366746E, 0x3153464A, 0x52654973, 0x482B, 0x2FC12FC1, 0xCA451A4E,
    ];

    /// <summary>The number by which <c>magic.h</c> knows it; <see langword="null"/> where that cannot be told.</summary>
    public static long? Of(SafeHandle file) => Of(facts => Ask(file, facts));

    /// <summary>Whether other machines may write in a folder, whose locks this one does not see: NFS and SMB by way of Linux, FUSE, and
    /// whatever else is not known to be local. Windows' servers see to their locks themselves.</summary>
    public static bool IsShared(string folder) =>
        RuntimeInformation.IsOSPlatform(OSPlatform.Linux) && !(Of(facts => Ask(UnixFile.CString(folder), facts)) is { } kind && Local.Contains(kind));

    /// <summary>Whether a folder is the union of some, as the file system of a container is.</summary>
    public static bool IsOverlay(string folder) =>
        RuntimeInformation.IsOSPlatform(OSPlatform.Linux) && Of(facts => Ask(UnixFile.CString(folder), facts)) == Overlay;

    private static long? Of(Func<long[], int> ask)
    {
        if (!RuntimeInformation.IsOSPlatform(OSPlatform.Linux) || IntPtr.Size != sizeof(long))
        {
            return null;
        }

        // struct statfs begins with f_type, a long, and has less than this.
        long[] facts = new long[64];
        return ask(facts) == 0 ? facts[0] : null;
    }

    [DllImport("libc", EntryPoint = "fstatfs")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Ask(SafeHandle file, [Out] long[] facts);

    [DllImport("libc", EntryPoint = "statfs")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Ask(byte[] path, [Out] long[] facts);
}
