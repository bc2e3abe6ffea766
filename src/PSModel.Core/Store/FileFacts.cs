using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace PSModel.Core.Store;

/// <summary>What the file system tells of a file. Immutable.</summary>
/// <param name="IsFile">Whether it is a plain file.</param>
/// <param name="IsFolder">Whether it is a folder.</param>
/// <param name="IsLink">Whether it is a link, or what Windows resolves like one.</param>
/// <param name="Size">Its length in bytes.</param>
/// <param name="Written">When it was last written, in a unit of the system.</param>
/// <param name="Volume">Names its volume.</param>
/// <param name="Index">Names it on its volume.</param>
/// <param name="Links">How many names it has.</param>
/// <param name="User">Its owner; 0 on Windows.</param>
/// <param name="Group">Its group; 0 on Windows.</param>
internal readonly record struct FileFacts(bool IsFile, bool IsFolder, bool IsLink, long Size, long Written, ulong Volume, ulong Index, uint Links, uint User, uint Group)
{
    private static bool IsWindows { get; } = RuntimeInformation.IsOSPlatform(OSPlatform.Windows);

    /// <summary>Looks at what would be opened under a path, through links; <see langword="null"/> where there is nothing.</summary>
    public static FileFacts? TryRead(string path) => TryRead(path, followsLinks: true);

    /// <summary>Looks at what stands at a path, a link as such; <see langword="null"/> where there is nothing.</summary>
    public static FileFacts? TryReadEntry(string path) => TryRead(path, followsLinks: false);

    /// <summary>Looks at an open file; <see langword="null"/> where the system cannot tell.</summary>
    public static FileFacts? TryRead(SafeFileHandle file) =>
        IsWindows ? WindowsFile.TryRead(file)
        : UnixStatus.IsKnown ? UnixStatus.TryRead((int)file.DangerousGetHandle())
        : null;

    /// <summary>Whether it is a plain file of one name: no other name leads to what is written to it.</summary>
    public bool IsOwn => IsFile && Links <= 1;

    public bool IsSame(FileFacts other) => Volume == other.Volume && Index == other.Index;

    private static FileFacts? TryRead(string path, bool followsLinks) =>
        IsWindows ? WindowsFile.TryRead(path, followsLinks)
        : UnixStatus.IsKnown ? UnixStatus.TryRead(path, followsLinks)
        : OfNet(path);

    /// <summary>What .NET tells: nothing that names the file, and of a link its own length.</summary>
    private static FileFacts? OfNet(string path)
    {
        FileInfo file = new(path);
        bool isLink = (file.Exists || Directory.Exists(path)) && (file.Attributes & FileAttributes.ReparsePoint) != 0;
        return file.Exists ? new FileFacts(!isLink, false, isLink, file.Length, file.LastWriteTimeUtc.Ticks, 0, 0, 1, 0, 0)
            : Directory.Exists(path) ? new FileFacts(false, !isLink, isLink, 0, 0, 0, 0, 1, 0, 0)
            : null;
    }
}
