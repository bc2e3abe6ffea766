using System.Runtime.InteropServices;

namespace PSModel.Core.Store;

/// <summary>
/// To whom a store belongs. What root makes there is given to that user, so that a service can manage its own store. Immutable.
/// </summary>
internal sealed class FileOwner
{
    private readonly uint _user;
    private readonly uint _group;

    private FileOwner(uint user, uint group)
    {
        _user = user;
        _group = group;
    }

    /// <summary>The owner of a folder, or of the nearest one above that exists; <see langword="null"/> where there is nothing to
    /// give: to root itself, on Windows, and where the user is not root.</summary>
    public static FileOwner? Of(string folder)
    {
        if (RuntimeInformation.IsOSPlatform(OSPlatform.Windows) || !UnixFile.IsRoot)
        {
            return null;
        }

        string? existing = folder;
        while (existing is not null && !Directory.Exists(existing))
        {
            existing = Path.GetDirectoryName(existing);
        }

        return existing is not null && FileFacts.TryRead(existing) is { User: not 0 } facts ? new FileOwner(facts.User, facts.Group) : null;
    }

    /// <summary>Gives an open file that was just made. A share that does not let root give files keeps them.</summary>
    public void Give(SafeHandle file) => Give((int)file.DangerousGetHandle());

    public void Give(int descriptor) => _ = UnixFile.ChangeOwner(descriptor, _user, _group);

    /// <summary>Gives a folder that was just made, unless somebody else has put a link in its place.</summary>
    public void GiveFolder(string path)
    {
        int descriptor = UnixFile.Open(path, UnixFile.Folder);
        try
        {
            if (UnixStatus.TryRead(descriptor) is { IsFolder: true, User: 0 })
            {
                Give(descriptor);
            }
        }
        finally
        {
            _ = UnixFile.Close(descriptor);
        }
    }
}
