using System.Runtime.InteropServices;

namespace PSModel.Core.Store;

/// <summary>The steps that make a change of files survive a power cut. Stateless and thread-safe.</summary>
internal static class DurableFile
{
    private static bool IsWindows => RuntimeInformation.IsOSPlatform(OSPlatform.Windows);

    /// <summary>Creates a folder and those above it, 0755 less the umask as Ollama's own, and makes that durable: what is in a folder
    /// is lost with it.</summary>
    public static void CreateFolder(ModelStore store, string path) => SyncAbove(MakeFolders(store, path));

    /// <summary>Creates a folder and those above it.</summary>
    /// <returns>Those that were not there, for <see cref="SyncAbove"/>.</returns>
    public static IReadOnlyList<string> MakeFolders(ModelStore store, string path)
    {
        List<string> made = [];
        for (string? missing = path; missing is not null && !Directory.Exists(missing); missing = Path.GetDirectoryName(missing))
        {
            made.Insert(0, missing);
        }

        // Whose the store is must be known before there is one.
        FileOwner? owner = made.Count > 0 ? store.Owner : null;
        foreach (string folder in made)
        {
            CreateFolder(folder);
            owner?.GiveFolder(folder);
        }

        return made;
    }

    /// <summary>Makes durable that folders were created.</summary>
    public static void SyncAbove(IEnumerable<string> made) => made.Select(folder => Path.GetDirectoryName(folder)).OfType<string>().ToList().ForEach(SyncFolder);

    private static void CreateFolder(string path)
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

    /// <summary>Writes a small file whole or not at all, also when the power fails: beside, flushed, renamed.</summary>
    /// <param name="store">The store that it belongs to.</param>
    /// <param name="bytes">The content.</param>
    /// <param name="temporary">A path on the same volume that nobody else uses.</param>
    /// <param name="path">The path under which it becomes visible.</param>
    public static void WriteWhole(ModelStore store, byte[] bytes, string temporary, string path) =>
        WriteWhole(() => WorkFile.Create(store, temporary), bytes, temporary, path);

    /// <summary>Writes a small file whole or not at all, which need be of no store.</summary>
    /// <param name="create">Makes the temporary file.</param>
    /// <param name="bytes">The content.</param>
    /// <param name="temporary">A path on the same volume that nobody else uses.</param>
    /// <param name="path">The path under which it becomes visible.</param>
    public static void WriteWhole(Func<FileStream> create, byte[] bytes, string temporary, string path)
    {
        WriteFlushed(create, bytes);
        Replace(temporary, path);
    }

    /// <summary>Writes a small file, and returns when it is on the disk.</summary>
    /// <param name="create">Makes the file.</param>
    /// <param name="bytes">The content.</param>
    public static void WriteFlushed(Func<FileStream> create, byte[] bytes)
    {
        using FileStream file = create();
        file.Write(bytes, 0, bytes.Length);
        Flush(file);
    }

    /// <summary>Renames a file over another one and makes the rename durable.</summary>
    public static void Replace(string from, string to)
    {
        Rename(from, to);
        SyncFolder(Path.GetDirectoryName(to)!);
    }

    /// <summary>Renames a file over another one; the rename is durable once the folder is synced. It fails between volumes, where
    /// .NET's own way copies: what a copy holds was never verified.</summary>
    public static void Rename(string from, string to)
    {
        if (IsWindows)
        {
            try
            {
                HeldFile.Try(to, () => WindowsFile.Rename(from, to));
            }
            catch (HeldFileException e) when (FileFacts.TryReadEntry(to) is null)
            {
                throw new HeldFileException(from, e.InnerException!);
            }
        }
        else
        {
            UnixFile.Rename(from, to);
        }
    }

    /// <summary>Gives a file a name that nothing has; never another file's.</summary>
    /// <returns>Whether it has it; not where something else does.</returns>
    /// <exception cref="IOException">It could not be renamed.</exception>
    public static bool TryRenameNew(string from, string to)
    {
        bool isDone = false;
        if (IsWindows)
        {
            HeldFile.Try(from, () => isDone = WindowsFile.TryRenameNew(from, to));
        }
        else
        {
            isDone = UnixFile.TryRenameNew(from, to);
        }

        return isDone;
    }

    /// <summary>Gives a file a second name, which is durable once the folder is synced.</summary>
    /// <exception cref="IOException">It has none: between volumes, on some file systems, or where something has that name.</exception>
    public static void Link(string path, string name)
    {
        if (IsWindows)
        {
            WindowsFile.Link(path, name);
        }
        else
        {
            UnixFile.Link(path, name);
        }
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

    /// <summary>Removes a file or a link, if there is one, and makes the removal durable.</summary>
    public static void Delete(string path)
    {
        if (FileFacts.TryReadEntry(path) is not null)
        {
            try
            {
                HeldFile.Try(path, () => File.Delete(path));
                SyncFolder(Path.GetDirectoryName(path)!);
            }
            catch (DirectoryNotFoundException)
            {
                // Whoever removed it meanwhile has removed what was in it.
            }
        }
    }

    /// <summary>Returns when everything that was written to a file is on the disk. What .NET has for that tells of no error on Linux
    /// and macOS: its <c>SystemNative_FSync</c> gives 1 where fsync fails, and its caller looks for less than 0.</summary>
    /// <exception cref="IOException">What was written since the last flush may be lost, whatever a later one says.</exception>
    public static void Flush(FileStream file)
    {
        if (IsWindows)
        {
#pragma warning disable RS0030 // On Windows it does tell.
            file.Flush(flushToDisk: true);
#pragma warning restore RS0030
            return;
        }

#if !NET
        file.Flush();
#endif
        int error = UnixFile.Flush(file.SafeFileHandle);
        if (error != 0 && !NoSync.Contains(error))
        {
            throw UnixFile.Failure("The file cannot be flushed", error);
        }
    }

    /// <summary>Makes the entries of a folder durable. Windows writes them through and has no such call.</summary>
    public static void SyncFolder(string path)
    {
        if (IsWindows)
        {
            return;
        }

        int descriptor = Open(UnixFile.CString(path), ReadOnly);
        if (descriptor < 0)
        {
            int reason = Marshal.GetLastWin32Error();
            string message = $"The folder '{path}' cannot be opened to sync it (errno {reason}).";
            throw reason == UnixFile.NoEntry ? new DirectoryNotFoundException(message) : new IOException(message);
        }

        try
        {
            int error = UnixFile.Flush(descriptor);
            if (error != 0 && !NoSync.Contains(error))
            {
                throw new IOException($"The folder '{path}' cannot be synced (errno {error}).", error);
            }
        }
        finally
        {
            _ = UnixFile.Close(descriptor);
        }
    }

    /// <summary><c>EINVAL</c>, and <c>EOPNOTSUPP</c> of Linux and of macOS: some file systems know no sync, of a folder above all, and
    /// there is nothing more to be had from them. <c>EROFS</c> is none of them: so answers a file system that was given up.</summary>
    private static readonly int[] NoSync = RuntimeInformation.IsOSPlatform(OSPlatform.OSX) ? [22, 45, 102] : [22, 95];

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
}
