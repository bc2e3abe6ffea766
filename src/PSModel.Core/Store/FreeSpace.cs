using System.Runtime.InteropServices;

namespace PSModel.Core.Store;

/// <summary>Asks how much room there is at a folder, which may lie on another volume than the drive or folder above it. Stateless
/// and thread-safe.</summary>
internal static class FreeSpace
{
    /// <summary>The bytes that may be written where a path is or will be; <see langword="null"/> where nobody can tell.</summary>
    public static long? At(string path)
    {
        string? existing = path;
        while (existing is not null && !Directory.Exists(existing))
        {
            existing = Path.GetDirectoryName(existing);
        }

        try
        {
            return existing is null ? null
                : RuntimeInformation.IsOSPlatform(OSPlatform.Windows) ? Ask(existing)
                : new DriveInfo(existing).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or ArgumentException or UnauthorizedAccessException)
        {
            // A network share may have no drive to ask; the write itself will tell.
            return null;
        }
    }

    /// <summary>A drive's letter tells of the drive alone; other volumes may be mounted in its folders.</summary>
    private static long? Ask(string folder)
    {
        char last = folder[folder.Length - 1];
        string path = last == Path.DirectorySeparatorChar || last == Path.AltDirectorySeparatorChar ? folder : folder + Path.DirectorySeparatorChar;
        return Ask(path, out ulong available, IntPtr.Zero, IntPtr.Zero) ? (long)Math.Min(available, long.MaxValue) : null;
    }

    [DllImport("kernel32", EntryPoint = "GetDiskFreeSpaceExW", CharSet = CharSet.Unicode, ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static extern bool Ask(string folder, out ulong available, IntPtr total, IntPtr free);
}
