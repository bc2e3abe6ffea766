using System.Runtime.InteropServices;

namespace PSModel.Core.Store;

/// <summary>
/// Finds where unfinished work lies: on the volume of the folder that it will be renamed into, for what is copied in place of a
/// rename is no longer what was verified. Stateless and thread-safe.
/// </summary>
internal static class WorkFolder
{
    public const string Name = ".psmodel";

    private static bool IsWindows { get; } = RuntimeInformation.IsOSPlatform(OSPlatform.Windows);

    /// <summary>Finds the work folder for a folder of a store: in the store, unless that folder lies on another volume, by a link
    /// or a mount. Then beside it, where that is on its volume and can be written, else within it.</summary>
    /// <param name="root">The store.</param>
    /// <param name="folder">Where the files belong.</param>
    /// <param name="levels">How deep it lies in the store: so far up the work folder may be.</param>
    /// <returns>The work folder; on a share one within it, of this machine alone: another machine may not see that a file is locked.</returns>
    public static string For(string root, string folder, int levels)
    {
        string common = CommonFor(root, folder, levels);
        string? existing = common;
        while (existing is not null && !Directory.Exists(existing))
        {
            existing = Path.GetDirectoryName(existing);
        }

        return existing is not null && FileSystemKind.IsShared(existing) ? Path.Combine(common, HostId.Value) : common;
    }

    /// <summary>What all machines have in common of a work folder.</summary>
    public static string CommonOf(string work) =>
        Path.GetFileName(work) != Name && Path.GetDirectoryName(work) is { } above && Path.GetFileName(above) == Name ? above : work;

    /// <summary>Sees that what is finished can be renamed to where it belongs, before it is fetched.</summary>
    /// <exception cref="IOException">The work folder is a volume of its own.</exception>
    public static void RequireOneVolume(string work, string folder)
    {
        if (!AreOneVolume(work, folder))
        {
            throw new IOException($"'{work}' lies on another volume than '{folder}', so nothing could be renamed from there. Unmount it.");
        }
    }

    private static string CommonFor(string root, string folder, int levels)
    {
        if (!Directory.Exists(folder) || AreOneVolume(root, folder) || RealPath(folder) is not { } real)
        {
            return Path.Combine(root, Name);
        }

        string top = real;
        for (int level = 0; level < levels && Path.GetDirectoryName(top) is { } above && AreOneVolume(above, real) && CanHoldWork(above); level++)
        {
            top = above;
        }

        return Path.Combine(top, Name);
    }

    private static bool AreOneVolume(string folder, string other) =>
        FileFacts.TryRead(folder)?.Volume == FileFacts.TryRead(other)?.Volume && (IsWindows || UnixFile.AreOneMount(folder, other));

    private static bool CanHoldWork(string folder) => IsWindows || Directory.Exists(Path.Combine(folder, Name)) || UnixFile.CanWrite(folder);

    /// <summary>The path without any link in it; <see langword="null"/> where it leads to nothing.</summary>
    public static string? RealPath(string path) => IsWindows ? WindowsFile.RealPath(path) : UnixFile.RealPath(path);
}
