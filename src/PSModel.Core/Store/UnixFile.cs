using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Text;

namespace PSModel.Core.Store;

/// <summary>The calls of Linux and macOS that .NET has no name for, or softens. Stateless and thread-safe.</summary>
internal static class UnixFile
{
    /// <summary><c>O_WRONLY</c> and <c>O_RDWR</c> of <c>fcntl.h</c>, on both systems.</summary>
    public const int WriteOnly = 1;

    public const int ReadWrite = 2;

    /// <summary><c>EWOULDBLOCK</c>: somebody else has the lock.</summary>
    public static int WouldBlock => IsMac ? 35 : 11;

    /// <summary><c>O_CREAT</c> of <c>fcntl.h</c>.</summary>
    public static int Create => IsMac ? 0x200 : 0x40;

    /// <summary><c>O_DIRECTORY</c> of <c>fcntl.h</c>, which differs between processors.</summary>
    public static int Folder => IsMac ? 0x100000 : IsArm ? 0x4000 : 0x10000;

    /// <summary><c>ENOENT</c>, <c>EINTR</c>, <c>EEXIST</c> and <c>EXDEV</c> of <c>errno.h</c>, on both systems.</summary>
    internal const int NoEntry = 2;

    private const int Interrupted = 4;
    private const int Exists = 17;
    private const int CrossDevice = 18;

    /// <summary><c>ELOOP</c>: what was to be opened is a link.</summary>
    private static int TooManyLinks => IsMac ? 62 : 40;

    /// <summary>0644, as Ollama's own files.</summary>
    private const int Mode = 0x1A4;

    /// <summary><c>LOCK_EX | LOCK_NB</c> of <c>sys/file.h</c>.</summary>
    private const int ExclusiveNow = 2 | 4;

    /// <summary><c>F_FULLFSYNC</c> of macOS' <c>fcntl.h</c>.</summary>
    private const int FullSync = 51;

    /// <summary><c>FICLONE</c> of Linux' <c>fs.h</c>.</summary>
    private const uint FileClone = 0x40049409;

    /// <summary><c>W_OK</c> of <c>unistd.h</c>.</summary>
    private const int MayWrite = 2;

    private static bool IsMac { get; } = RuntimeInformation.IsOSPlatform(OSPlatform.OSX);

    private static bool IsArm => RuntimeInformation.ProcessArchitecture is Architecture.Arm or Architecture.Arm64;

    /// <summary><c>O_NOFOLLOW</c>, <c>O_CLOEXEC</c>, and <c>O_LARGEFILE</c>, without which 32-bit programs open nothing beyond
    /// 2 GiB.</summary>
    private static int Always => IsMac
        ? 0x100 | 0x1000000
        : (IsArm ? 0x8000 : 0x20000) | 0x80000 | (IntPtr.Size == sizeof(long) ? 0 : IsArm ? 0x20000 : 0x8000);

    /// <summary>Whether the process may do everything.</summary>
    public static bool IsRoot => EffectiveUser() == 0;

    /// <summary>Opens a file or a folder, unless a link stands at its path.</summary>
    /// <returns>The descriptor.</returns>
    /// <exception cref="IOException">It cannot be opened, or is a link.</exception>
    public static int Open(string path, int flags)
    {
        byte[] bytes = CString(path);
        while (true)
        {
            // The mode is a variadic argument: Apple's Arm processors take it from the stack, past the eight registers.
            int descriptor = Open(bytes, flags | Always, Mode, 0, 0, 0, 0, 0, Mode);
            if (descriptor >= 0)
            {
                return descriptor;
            }

            int error = Marshal.GetLastWin32Error();
            if (error == TooManyLinks)
            {
                throw new IOException($"'{path}' is a link, and none is followed here. Remove it.", error);
            }

            if (error != Interrupted)
            {
                throw Failure($"'{path}' cannot be opened", error);
            }
        }
    }

    /// <summary>Renames a file over another one. Between volumes that fails.</summary>
    /// <exception cref="IOException">It was not renamed.</exception>
    public static void Rename(string from, string to)
    {
        if (Rename(CString(from), CString(to)) == 0)
        {
            return;
        }

        int error = Marshal.GetLastWin32Error();
        string where = error == CrossDevice ? ", which lies on another volume" : string.Empty;
        throw Failure($"'{from}' cannot be renamed to '{to}'{where}", error);
    }

    /// <summary>Gives a file a second name.</summary>
    /// <exception cref="IOException">It has none: between volumes, and on some file systems.</exception>
    public static void Link(string path, string name)
    {
        if (Link(CString(path), CString(name)) != 0)
        {
            throw Failure($"'{path}' cannot have the name '{name}' as well", Marshal.GetLastWin32Error());
        }
    }

    /// <summary>Lets a file share another one's bytes until one of the two is written to.</summary>
    /// <returns>Whether the file system can do that.</returns>
    public static bool TryClone(SafeHandle from, SafeHandle to) => Clone(to, FileClone, from) == 0;

    /// <summary>Gives a file a name that nothing has, and takes the old one away.</summary>
    /// <returns>Whether it has it; not where something else does.</returns>
    /// <exception cref="IOException">It was not renamed.</exception>
    public static bool TryRenameNew(string from, string to)
    {
        // A second name is never given over another file's. Some file systems know none, and Linux gives none of what others own.
        if (Link(CString(from), CString(to)) == 0)
        {
            File.Delete(from);
            return true;
        }

        int error = Marshal.GetLastWin32Error();
        if (error == NoEntry)
        {
            throw Failure($"'{from}' cannot be renamed to '{to}'", error);
        }

        if (error == Exists || FileFacts.TryReadEntry(to) is not null)
        {
            return false;
        }

        Rename(from, to);
        return true;
    }

    /// <summary>Whether a file can be renamed from one folder into the other: there are borders within one file system, those of
    /// bind mounts for one. Asked by a rename of what does not exist.</summary>
    public static bool AreOneMount(string folder, string other)
    {
        string nothing = $"/.psmodel-{Guid.NewGuid():N}";
        return Rename(CString(folder + nothing), CString(other + nothing)) == 0 || Marshal.GetLastWin32Error() != CrossDevice;
    }

    /// <summary>Takes a lock of the operating system.</summary>
    /// <returns>0, or why it was not taken.</returns>
    public static int Lock(int descriptor)
    {
        int error;
        do
        {
            error = Flock(descriptor, ExclusiveNow) == 0 ? 0 : Marshal.GetLastWin32Error();
        }
        while (error == Interrupted);
        return error;
    }

    /// <summary>Whether the user may make files in a folder.</summary>
    public static bool CanWrite(string folder) => Access(CString(folder), MayWrite) == 0;

    /// <summary>Flushes a folder.</summary>
    /// <returns>0, or why it failed.</returns>
    public static int Flush(int descriptor) => Flush(() => Sync(descriptor));

    /// <summary>Flushes a file, to the disk itself where the system tells that from the disk's own memory.</summary>
    /// <returns>0, or why it failed.</returns>
    public static int Flush(SafeHandle file) => IsMac && Flush(() => Control(file, FullSync)) == 0 ? 0 : Flush(() => Sync(file));

    private static int Flush(Func<int> sync)
    {
        int error;
        do
        {
            error = sync() >= 0 ? 0 : Marshal.GetLastWin32Error();
        }
        while (error == Interrupted);
        return error;
    }

    /// <summary>The path of a file or folder without links in it; <see langword="null"/> where there is none.</summary>
    public static string? RealPath(string path)
    {
        IntPtr found = RealPath(CString(path), IntPtr.Zero);
        if (found == IntPtr.Zero)
        {
            return null;
        }

        try
        {
            int length = 0;
            while (Marshal.ReadByte(found, length) != 0)
            {
                length++;
            }

            byte[] bytes = new byte[length];
            Marshal.Copy(found, bytes, 0, length);
            return Encoding.UTF8.GetString(bytes);
        }
        finally
        {
            Free(found);
        }
    }

    /// <summary>What an errno means, as .NET itself would throw it.</summary>
    public static Exception Failure(string what, int error)
    {
        string message = $"{what}: {new Win32Exception(error).Message} (errno {error}).";
        return error switch
        {
            1 or 13 => new UnauthorizedAccessException(message),
            NoEntry => new FileNotFoundException(message),
            _ => new IOException(message, error),
        };
    }

    /// <summary>A text as C has it, with a zero at its end.</summary>
    public static byte[] CString(string text)
    {
        byte[] bytes = new byte[Encoding.UTF8.GetByteCount(text) + 1];
        _ = Encoding.UTF8.GetBytes(text, 0, text.Length, bytes, 0);
        return bytes;
    }

    [DllImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern int Close(int descriptor);

    /// <summary>Gives a file to a user and a group.</summary>
    [DllImport("libc", EntryPoint = "fchown", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    public static extern int ChangeOwner(int descriptor, uint user, uint group);

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Open(byte[] path, int flags, nint inRegister, nint r3, nint r4, nint r5, nint r6, nint r7, nint onStack);

    [DllImport("libc", EntryPoint = "rename", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Rename(byte[] from, byte[] to);

    [DllImport("libc", EntryPoint = "link", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Link(byte[] path, byte[] name);

    [DllImport("libc", EntryPoint = "ioctl")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Clone(SafeHandle to, nuint request, SafeHandle from);

    [DllImport("libc", EntryPoint = "flock", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Flock(int descriptor, int operation);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Sync(int descriptor);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Sync(SafeHandle file);

    [DllImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Control(SafeHandle file, int command);

    [DllImport("libc", EntryPoint = "access")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Access(byte[] path, int mode);

    [DllImport("libc", EntryPoint = "geteuid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern uint EffectiveUser();

    [DllImport("libc", EntryPoint = "realpath")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern IntPtr RealPath(byte[] path, IntPtr none);

    [DllImport("libc", EntryPoint = "free")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern void Free(IntPtr memory);
}
