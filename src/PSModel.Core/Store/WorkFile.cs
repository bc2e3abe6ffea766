using System.Runtime.InteropServices;
#if NET
using Microsoft.Win32.SafeHandles;
#endif

namespace PSModel.Core.Store;

/// <summary>
/// Opens the files of the work folder. Whatever else may write there can plant links, so none is followed: a new file is made
/// by this process, and one that is gone on with has a single name. Stateless and thread-safe.
/// </summary>
internal static class WorkFile
{
    /// <summary>How the names of files begin that remember where an upload goes on.</summary>
    public const string UploadPrefix = "upload-";

    private static bool IsWindows { get; } = RuntimeInformation.IsOSPlatform(OSPlatform.Windows);

    /// <summary>Whether a file of this name is one of those.</summary>
    public static bool IsOfUpload(string fileName) => fileName.StartsWith(UploadPrefix, StringComparison.Ordinal);

    /// <summary>Makes a new file for writing alone, 0644 less the umask as Ollama's own, in place of whatever has its name.</summary>
    public static FileStream Create(ModelStore store, string path)
    {
        FileStream file = HeldFile.Open(path, () => OpenInPlace(path));
        return Prepare(file, opened => store.Owner?.Give(opened.SafeFileHandle));
    }

    private static FileStream OpenInPlace(string path)
    {
        try
        {
            return OpenNew(path);
        }
        catch (IOException) when (FileFacts.TryReadEntry(path) is not null)
        {
            RequireFree(path);
            File.Delete(path);
            return OpenNew(path);
        }
    }

    /// <summary>Opens a file that an earlier call left, for writing behind what is kept of it; the rest is cut off.</summary>
    /// <exception cref="IOException">There is none that can be trusted, or it is shorter.</exception>
    public static FileStream OpenKept(ModelStore store, string path, long kept)
    {
        if (kept == 0)
        {
            return Create(store, path);
        }

        FileStream file = TryOpen(path, FileAccess.Write) ?? throw new IOException($"'{path}' was replaced by another program.");
        return Prepare(file, opened =>
        {
            if (opened.Length < kept)
            {
                throw new IOException($"'{path}' was shortened by another program.");
            }

            opened.SetLength(kept);
            opened.Seek(kept, SeekOrigin.Begin);
        });
    }

    /// <summary>A file that cannot be made ready is closed.</summary>
    private static FileStream Prepare(FileStream file, Action<FileStream> prepare)
    {
        try
        {
            prepare(file);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Sees that nobody holds a file that is to be replaced; Windows sees to that itself.</summary>
    private static void RequireFree(string path)
    {
        if (IsWindows || FileFacts.TryReadEntry(path) is not { IsOwn: true })
        {
            return;
        }

        int descriptor = UnixFile.Open(path, UnixFile.WriteOnly);
        int error = UnixFile.Lock(descriptor);
        _ = UnixFile.Close(descriptor);
        if (error == UnixFile.WouldBlock)
        {
            throw new IOException($"'{path}' is locked.", error);
        }
    }

    /// <summary>Opens a file for reading.</summary>
    /// <returns><see langword="null"/> where there is none that can be trusted.</returns>
    public static FileStream? TryOpenToRead(string path) => TryOpen(path, FileAccess.Read);

    /// <summary>Reads a small file.</summary>
    /// <returns><see langword="null"/> where there is none that can be trusted, or a longer one.</returns>
    public static byte[]? TryRead(string path, long longest)
    {
        using FileStream? file = TryOpenToRead(path);
        if (file is null || file.Length > longest)
        {
            return null;
        }

        byte[] bytes = new byte[(int)file.Length];
        int filled = 0;
        for (int read = -1; read != 0 && filled < bytes.Length; filled += read)
        {
            read = file.Read(bytes, filled, bytes.Length - filled);
        }

        Array.Resize(ref bytes, filled);
        return bytes;
    }

    /// <summary>The length of a file that can be trusted, in bytes; 0 where there is none.</summary>
    public static long LengthOf(string path) => FileFacts.TryReadEntry(path) is { IsOwn: true } facts ? facts.Size : 0;

    private static FileStream? TryOpen(string path, FileAccess access)
    {
        if (FileFacts.TryReadEntry(path) is not { IsOwn: true } seen)
        {
            return null;
        }

        FileStream file = HeldFile.Open(path, () => OpenLeft(path, access));
        if (FileFacts.TryRead(file.SafeFileHandle) is { } opened && !(opened.IsOwn && opened.IsSame(seen)))
        {
            file.Dispose();
            return null;
        }

        return file;
    }

#if NET
    private static FileStream OpenNew(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return new FileStream(WindowsFile.Open(path, WindowsFile.Write, FileShare.Read, WindowsFile.CreateNew), FileAccess.Write, bufferSize: 0);
        }

        // A file that must be new is never found through a link.
        return new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            Share = FileShare.Read,
            BufferSize = 0,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead,
        });
    }

    private static FileStream OpenLeft(string path, FileAccess access)
    {
        SafeFileHandle file = IsWindows
            ? WindowsFile.Open(path, access == FileAccess.Read ? WindowsFile.Read : WindowsFile.Write, ShareOf(access), WindowsFile.OpenExisting)
            : new SafeFileHandle((IntPtr)UnixFile.Open(path, access == FileAccess.Read ? 0 : UnixFile.WriteOnly), ownsHandle: true);
        return new FileStream(file, access, bufferSize: 0);
    }
#else
    // A buffer of one byte is .NET Framework's way to say none. Its build runs on other systems than Windows for tests alone,
    // and cannot make a stream of a descriptor there.
    private static FileStream OpenNew(string path) => IsWindows
        ? new FileStream(WindowsFile.Open(path, WindowsFile.Write, FileShare.Read, WindowsFile.CreateNew), FileAccess.Write, bufferSize: 1)
        : new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 1);

    private static FileStream OpenLeft(string path, FileAccess access) => IsWindows
        ? new FileStream(WindowsFile.Open(path, access == FileAccess.Read ? WindowsFile.Read : WindowsFile.Write, ShareOf(access), WindowsFile.OpenExisting), access, bufferSize: 1)
        : new FileStream(path, FileMode.Open, access, ShareOf(access), bufferSize: 1);
#endif

    private static FileShare ShareOf(FileAccess access) => access == FileAccess.Read ? FileShare.ReadWrite | FileShare.Delete : FileShare.Read;
}
