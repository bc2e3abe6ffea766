using System.Runtime.InteropServices;
using System.Text;

namespace PSModel.Core.Store;

/// <summary>The steps that make a change of files survive a power cut. Stateless and thread-safe.</summary>
internal static class DurableFile
{
    private static bool IsWindows => RuntimeInformation.IsOSPlatform(OSPlatform.Windows);

    /// <summary>Creates a folder and those above it, 0755 less the umask as Ollama's own.</summary>
    public static void CreateFolder(string path)
    {
#if NET
        if (!OperatingSystem.IsWindows())
        {
            const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
                | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
            Directory.CreateDirectory(path, Mode);
            return;
        }
#endif
        Directory.CreateDirectory(path);
    }

    /// <summary>Opens a file for writing alone, 0644 less the umask as Ollama's own; nothing of it can be read through the
    /// stream.</summary>
    public static FileStream OpenForWriting(string path, FileMode mode)
    {
#if NET
        FileStreamOptions options = new() { Mode = mode, Access = FileAccess.Write, Share = FileShare.Read, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
        }

        return new FileStream(path, options);
#else
        // A buffer of one byte is .NET Framework's way to say none.
        return new FileStream(path, mode, FileAccess.Write, FileShare.Read, bufferSize: 1);
#endif
    }

    /// <summary>Writes a small file whole or not at all, also when the power fails: beside, flushed, renamed.</summary>
    /// <param name="bytes">The content.</param>
    /// <param name="temporary">A path on the same volume that nobody else uses.</param>
    /// <param name="path">The path under which it becomes visible.</param>
    public static void WriteWhole(byte[] bytes, string temporary, string path)
    {
        using (FileStream file = OpenForWriting(temporary, FileMode.Create))
        {
            file.Write(bytes, 0, bytes.Length);
            file.Flush(flushToDisk: true);
        }

        Replace(temporary, path);
    }

    /// <summary>Renames a file over another one and makes the rename durable.</summary>
    public static void Replace(string from, string to)
    {
        Rename(from, to);
        SyncFolder(Path.GetDirectoryName(to)!);
    }

    /// <summary>Renames a file over another one; the rename is durable once the folder is synced.</summary>
    public static void Rename(string from, string to)
    {
#if NET
        File.Move(from, to, overwrite: true);
#else
        MoveOver(from, to);
#endif
    }

    /// <summary>Lets the disk begin with what was written, where the system can be asked for that. A failure shows when the
    /// file is flushed.</summary>
    public static void BeginFlush(FileStream file)
    {
        if (RuntimeInformation.IsOSPlatform(OSPlatform.Linux))
        {
            _ = SyncRange(file.SafeFileHandle, 0, 0, StartWriting);
        }
    }

    /// <summary>Removes a file, if there is one, and makes the removal durable.</summary>
    public static void Delete(string path)
    {
        if (File.Exists(path))
        {
            File.Delete(path);
            SyncFolder(Path.GetDirectoryName(path)!);
        }
    }

    /// <summary>Makes the entries of a folder durable. Windows writes them through and has no such call.</summary>
    public static void SyncFolder(string path)
    {
        if (IsWindows)
        {
            return;
        }

        int descriptor = Open(CString(path), ReadOnly);
        if (descriptor < 0)
        {
            throw new IOException($"The folder '{path}' cannot be opened to sync it (errno {Marshal.GetLastWin32Error()}).");
        }

        try
        {
            if (Sync(descriptor) != 0 && !NoSync.Contains(Marshal.GetLastWin32Error()))
            {
                throw new IOException($"The folder '{path}' cannot be synced (errno {Marshal.GetLastWin32Error()}).");
            }
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    private static byte[] CString(string text) => Encoding.UTF8.GetBytes(text + '\0');

    /// <summary><c>EINVAL</c>, <c>EROFS</c>, and <c>EOPNOTSUPP</c> of Linux and of macOS: some network file systems know no sync
    /// of a folder, and there is nothing more to be had from them.</summary>
    private static readonly int[] NoSync = [22, 30, 95, 45, 102];

    /// <summary><c>O_RDONLY</c> of <c>fcntl.h</c>, 0 on Linux and macOS.</summary>
    private const int ReadOnly = 0;

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Open(byte[] path, int flags);

    /// <summary><c>SYNC_FILE_RANGE_WRITE</c> of Linux' <c>fs.h</c>.</summary>
    private const uint StartWriting = 2;

    [DllImport("libc", EntryPoint = "sync_file_range")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SyncRange(SafeHandle file, long offset, long length, uint flags);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Sync(int descriptor);

    [DllImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Close(int descriptor);

#if !NET
    private static void MoveOver(string from, string to)
    {
        bool isMoved = IsWindows ? MoveFile(from, to, ReplaceExisting | WriteThrough) : Rename(CString(from), CString(to)) == 0;
        if (!isMoved)
        {
            int error = Marshal.GetLastWin32Error();
            throw new IOException($"'{from}' cannot be renamed to '{to}' (error {error}).", IsWindows ? Win32Facility | error : error);
        }
    }

    /// <summary>What makes an HRESULT of an error of Win32: <c>HRESULT_FROM_WIN32</c> of <c>winerror.h</c>.</summary>
    private const int Win32Facility = unchecked((int)0x80070000);

    /// <summary><c>MOVEFILE_REPLACE_EXISTING</c> of <c>winbase.h</c>.</summary>
    private const int ReplaceExisting = 1;

    /// <summary><c>MOVEFILE_WRITE_THROUGH</c> of <c>winbase.h</c>.</summary>
    private const int WriteThrough = 8;

    [DllImport("kernel32", EntryPoint = "MoveFileExW", CharSet = CharSet.Unicode, ExactSpelling = true, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static extern bool MoveFile(string from, string to, int flags);

    [DllImport("libc", EntryPoint = "rename", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Rename(byte[] from, byte[] to);
#endif
}
