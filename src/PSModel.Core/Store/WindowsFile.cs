using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace PSModel.Core.Store;

/// <summary>The calls of Windows that .NET has no name for, or softens. Stateless and thread-safe.</summary>
internal static class WindowsFile
{
    /// <summary><c>CREATE_NEW</c>, <c>OPEN_EXISTING</c> and <c>OPEN_ALWAYS</c> of <c>fileapi.h</c>.</summary>
    public const uint CreateNew = 1;

    public const uint OpenExisting = 3;
    public const uint OpenAlways = 4;

    /// <summary><c>GENERIC_READ</c> and <c>GENERIC_WRITE</c> of <c>winnt.h</c>.</summary>
    public const uint Read = 0x80000000;

    public const uint Write = 0x40000000;

    /// <summary><c>FILE_FLAG_DELETE_ON_CLOSE</c> of <c>winbase.h</c>.</summary>
    public const uint DeleteOnClose = 0x04000000;

    /// <summary><c>DELETE</c> of <c>winnt.h</c>, an access right.</summary>
    public const uint Delete = 0x00010000;

    private const uint BackupSemantics = 0x02000000;
    private const uint OpenReparsePoint = 0x00200000;
    private const FileShare Everything = FileShare.ReadWrite | FileShare.Delete;

    /// <summary>What makes an HRESULT of an error of Win32: <c>HRESULT_FROM_WIN32</c> of <c>winerror.h</c>.</summary>
    private const int Win32Facility = unchecked((int)0x80070000);

    /// <summary><c>MOVEFILE_REPLACE_EXISTING</c> and <c>MOVEFILE_WRITE_THROUGH</c> of <c>winbase.h</c>; never
    /// <c>MOVEFILE_COPY_ALLOWED</c>.</summary>
    private const int ReplaceExisting = 1;

    private const int WriteThrough = 8;

    /// <summary><c>ERROR_FILE_EXISTS</c> and <c>ERROR_ALREADY_EXISTS</c> of <c>winerror.h</c>.</summary>
    private const int FileExists = 80;

    private const int AlreadyExists = 183;

    /// <summary>The longest path that needs no prefix.</summary>
    private const int ShortPath = 240;

    /// <summary>Opens a file; a link is opened as such, and then refused.</summary>
    /// <exception cref="IOException">It cannot be opened, or is a link.</exception>
    public static SafeFileHandle Open(string path, uint access, FileShare share, uint disposition, uint flags = 0)
    {
        SafeFileHandle file = CreateFile(Extend(path), access, (uint)share, IntPtr.Zero, disposition, flags | OpenReparsePoint, IntPtr.Zero);
        if (file.IsInvalid)
        {
            int error = Marshal.GetLastWin32Error();
            file.Dispose();
            throw Failure($"'{path}' cannot be opened", error);
        }

        if (TryRead(file) is { IsLink: true })
        {
            file.Dispose();
            throw new IOException($"'{path}' is a link, and none is followed here. Remove it.");
        }

        return file;
    }

    /// <summary>Renames a file over another one, through to the disk. Between volumes that fails.</summary>
    /// <exception cref="IOException">It was not renamed.</exception>
    public static void Rename(string from, string to)
    {
        if (!MoveFile(Extend(from), Extend(to), ReplaceExisting | WriteThrough))
        {
            throw Failure($"'{from}' cannot be renamed to '{to}'", Marshal.GetLastWin32Error());
        }
    }

    /// <summary>Gives a file a second name.</summary>
    /// <exception cref="IOException">It has none: between volumes, and on some file systems.</exception>
    public static void Link(string path, string name)
    {
        if (!HardLink(Extend(name), Extend(path), IntPtr.Zero))
        {
            throw Failure($"'{path}' cannot have the name '{name}' as well", Marshal.GetLastWin32Error());
        }
    }

    /// <summary>Gives a file a name that nothing has, through to the disk.</summary>
    /// <returns>Whether it has it; not where something else does.</returns>
    /// <exception cref="IOException">It was not renamed.</exception>
    public static bool TryRenameNew(string from, string to)
    {
        if (MoveFile(Extend(from), Extend(to), WriteThrough))
        {
            // Wine, as rename does, takes two names of one file for renamed, and both stay.
            return !(TryRead(from, followsLinks: false) is { } left && TryRead(to, followsLinks: false) is { } there && left.IsSame(there));
        }

        int error = Marshal.GetLastWin32Error();
        return error is FileExists or AlreadyExists ? false : throw Failure($"'{from}' cannot be renamed to '{to}'", error);
    }

    /// <summary>The path of a file or folder without links in it; <see langword="null"/> where there is none.</summary>
    public static string? RealPath(string path)
    {
        using SafeFileHandle file = OpenToLook(path, followsLinks: true);
        char[] found = new char[short.MaxValue];
        uint length = file.IsInvalid ? 0 : FinalPath(file, found, (uint)found.Length, 0);
        if (length == 0 || length >= found.Length)
        {
            return null;
        }

        const string Share = @"\\?\UNC\";
        const string Local = @"\\?\";
        string real = new(found, 0, (int)length);
        return real.StartsWith(Share, StringComparison.Ordinal) ? @"\" + real.Remove(0, Share.Length - 1)
            : real.StartsWith(Local, StringComparison.Ordinal) ? real.Remove(0, Local.Length)
            : real;
    }

    public static FileFacts? TryRead(string path, bool followsLinks)
    {
        using SafeFileHandle file = OpenToLook(path, followsLinks);
        FileFacts? facts = file.IsInvalid ? null : TryRead(file);

        // What is opened is no link, but may be one of the other things that Windows resolves: a deduplicated file, say.
        return followsLinks && facts is { IsLink: true } opened ? opened with { IsLink = false, IsFile = !opened.IsFolder } : facts;
    }

    public static FileFacts? TryRead(SafeFileHandle file)
    {
        // struct BY_HANDLE_FILE_INFORMATION: attributes, three times of two words, volume, size, links, index.
        uint[] facts = new uint[13];
        if (!Information(file, facts))
        {
            return null;
        }

        FileAttributes attributes = (FileAttributes)facts[0];
        bool isLink = (attributes & FileAttributes.ReparsePoint) != 0;
        bool isFolder = (attributes & FileAttributes.Directory) != 0;
        return new FileFacts(
            IsFile: !isLink && !isFolder,
            IsFolder: isFolder,
            isLink,
            Size: ((long)facts[8] << 32) | facts[9],
            Written: ((long)facts[6] << 32) | facts[5],
            Volume: facts[7],
            Index: ((ulong)facts[11] << 32) | facts[12],
            Links: facts[10],
            User: 0,
            Group: 0);
    }

    private static SafeFileHandle OpenToLook(string path, bool followsLinks) => CreateFile(
        Extend(path), 0, (uint)Everything, IntPtr.Zero, OpenExisting, BackupSemantics | (followsLinks ? 0 : OpenReparsePoint), IntPtr.Zero);

    /// <summary>Names a long path in the way that has no bound.</summary>
    private static string Extend(string path) =>
        path.Length < ShortPath || path.StartsWith(@"\\?\", StringComparison.Ordinal) ? path
        : path.StartsWith(@"\\", StringComparison.Ordinal) ? @"\\?\UNC" + path.Remove(0, 1)
        : @"\\?\" + path;

    private static Exception Failure(string what, int error)
    {
        string message = $"{what}: {new Win32Exception(error).Message} (error {error}).";
        return error switch
        {
            2 or 3 => new FileNotFoundException(message),
            5 => new UnauthorizedAccessException(message),
            _ => new IOException(message, Win32Facility | error),
        };
    }

    [DllImport("kernel32", EntryPoint = "CreateFileW", CharSet = CharSet.Unicode, ExactSpelling = true, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern SafeFileHandle CreateFile(string path, uint access, uint share, IntPtr security, uint disposition, uint flags, IntPtr template);

    [DllImport("kernel32", EntryPoint = "MoveFileExW", CharSet = CharSet.Unicode, ExactSpelling = true, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static extern bool MoveFile(string from, string to, int flags);

    [DllImport("kernel32", EntryPoint = "CreateHardLinkW", CharSet = CharSet.Unicode, ExactSpelling = true, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static extern bool HardLink(string name, string path, IntPtr security);

    [DllImport("kernel32", EntryPoint = "GetFileInformationByHandle", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static extern bool Information(SafeFileHandle file, [Out] uint[] facts);

    [DllImport("kernel32", EntryPoint = "GetFinalPathNameByHandleW", CharSet = CharSet.Unicode, ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern uint FinalPath(SafeFileHandle file, [Out] char[] path, uint length, uint flags);
}
