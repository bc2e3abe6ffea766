using System.Runtime.InteropServices;

namespace PSModel.Core.Store;

/// <summary>What Linux and macOS tell of a file. Stateless and thread-safe.</summary>
internal static class UnixStatus
{
    /// <summary><c>AT_FDCWD</c>, <c>AT_EMPTY_PATH</c>, <c>AT_SYMLINK_NOFOLLOW</c> and <c>STATX_BASIC_STATS</c> of Linux.</summary>
    private const int CurrentFolder = -100;

    private const int EmptyPath = 0x1000;
    private const int NoFollow = 0x100;
    private const uint BasicStatus = 0x7FF;

    /// <summary>The kind of file in its mode: <c>S_IFMT</c>, <c>S_IFREG</c>, <c>S_IFDIR</c> and <c>S_IFLNK</c> of <c>stat.h</c>.</summary>
    private const int KindMask = 0xF000;

    private const int PlainFile = 0x8000;
    private const int Folder = 0x4000;
    private const int Link = 0xA000;

    private const long Billion = 1_000_000_000;

    [ThreadStatic]
    private static byte[]? _status;

    /// <summary>Room for what is told, whichever the system, for one question of the thread.</summary>
    private static byte[] Status => _status ??= new byte[256];

    private static bool IsLinux { get; } = RuntimeInformation.IsOSPlatform(OSPlatform.Linux);

    private static bool IsMac { get; } = RuntimeInformation.IsOSPlatform(OSPlatform.OSX);

    /// <summary>Whether the system can be asked: glibc before 2.28 has no <c>statx</c>.</summary>
    public static bool IsKnown { get; } = IsMac || (IsLinux && HasStatx());

    /// <summary>Asks for what has a path; <see langword="null"/> where there is nothing, or nothing that may be looked at.</summary>
    public static FileFacts? TryRead(string path, bool followsLinks)
    {
        byte[] status = Status;
        byte[] name = UnixFile.CString(path);
        if (IsMac)
        {
            return (followsLinks ? MacStat(name, status) : MacLinkStat(name, status)) == 0 ? OfMac(status) : null;
        }

        return Statx(CurrentFolder, name, followsLinks ? 0 : NoFollow, BasicStatus, status) == 0 ? OfLinux(status) : null;
    }

    /// <summary>Asks for an open file.</summary>
    public static FileFacts? TryRead(int descriptor)
    {
        byte[] status = Status;
        if (IsMac)
        {
            return MacFileStat(descriptor, status) == 0 ? OfMac(status) : null;
        }

        return Statx(descriptor, [0], EmptyPath, BasicStatus, status) == 0 ? OfLinux(status) : null;
    }

    /// <summary><c>struct statx</c>, the same on all processors.</summary>
    private static FileFacts OfLinux(byte[] status) => Of(
        mode: BitConverter.ToUInt16(status, 28),
        size: BitConverter.ToInt64(status, 40),
        written: (BitConverter.ToInt64(status, 112) * Billion) + BitConverter.ToUInt32(status, 120),
        volume: ((ulong)BitConverter.ToUInt32(status, 136) << 32) | BitConverter.ToUInt32(status, 140),
        index: BitConverter.ToUInt64(status, 32),
        links: BitConverter.ToUInt32(status, 16),
        user: BitConverter.ToUInt32(status, 20),
        group: BitConverter.ToUInt32(status, 24));

    /// <summary><c>struct stat</c> of macOS with inodes of 64 bits.</summary>
    private static FileFacts OfMac(byte[] status) => Of(
        mode: BitConverter.ToUInt16(status, 4),
        size: BitConverter.ToInt64(status, 96),
        written: (BitConverter.ToInt64(status, 48) * Billion) + BitConverter.ToInt64(status, 56),
        volume: BitConverter.ToUInt32(status, 0),
        index: BitConverter.ToUInt64(status, 8),
        links: BitConverter.ToUInt16(status, 6),
        user: BitConverter.ToUInt32(status, 16),
        group: BitConverter.ToUInt32(status, 20));

    private static FileFacts Of(int mode, long size, long written, ulong volume, ulong index, uint links, uint user, uint group) => new(
        IsFile: (mode & KindMask) == PlainFile,
        IsFolder: (mode & KindMask) == Folder,
        IsLink: (mode & KindMask) == Link,
        size,
        written,
        volume,
        index,
        links,
        user,
        group);

    private static bool HasStatx()
    {
        try
        {
            return Statx(CurrentFolder, UnixFile.CString("/"), 0, BasicStatus, Status) == 0;
        }
        catch (EntryPointNotFoundException)
        {
            return false;
        }
    }

    private static int MacStat(byte[] path, byte[] status) => IsIntelMac ? Stat64(path, status) : Stat(path, status);

    private static int MacLinkStat(byte[] path, byte[] status) => IsIntelMac ? LinkStat64(path, status) : LinkStat(path, status);

    private static int MacFileStat(int descriptor, byte[] status) => IsIntelMac ? FileStat64(descriptor, status) : FileStat(descriptor, status);

    /// <summary>There the plain names are those of the calls with inodes of 32 bits.</summary>
    private static bool IsIntelMac => RuntimeInformation.ProcessArchitecture == Architecture.X64;

    [DllImport("libc", EntryPoint = "statx")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Statx(int folder, byte[] path, int flags, uint mask, [Out] byte[] status);

    [DllImport("libc", EntryPoint = "stat")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Stat(byte[] path, [Out] byte[] status);

    [DllImport("libc", EntryPoint = "lstat")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int LinkStat(byte[] path, [Out] byte[] status);

    [DllImport("libc", EntryPoint = "fstat")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int FileStat(int descriptor, [Out] byte[] status);

    [DllImport("libc", EntryPoint = "stat$INODE64")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Stat64(byte[] path, [Out] byte[] status);

    [DllImport("libc", EntryPoint = "lstat$INODE64")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int LinkStat64(byte[] path, [Out] byte[] status);

    [DllImport("libc", EntryPoint = "fstat$INODE64")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int FileStat64(int descriptor, [Out] byte[] status);
}
