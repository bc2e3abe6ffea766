using PSModel.Core.Manifests;

namespace PSModel.Core.Store;

/// <summary>Reads a manifest's file, which anything may stand in place of. Stateless and thread-safe.</summary>
internal static class ManifestFile
{
    /// <summary>Reads it, one byte past the bound at most, so that its reader sees that it is broken.</summary>
    /// <exception cref="HeldFileException">Another program lets nobody read it, for longer than is worth waiting.</exception>
    /// <exception cref="IOException">It cannot be read, or is no file.</exception>
    public static byte[] Read(string path)
    {
        // A pipe would be waited for.
        if (FileFacts.TryRead(path) is { IsFile: false })
        {
            throw new IOException("It is no file.");
        }

        using FileStream file = HeldFile.Open(path, () => File.OpenRead(path));
        byte[] bytes = new byte[(int)Math.Min(file.Length, ManifestReader.MaximumBytes + 1)];
        int length = 0;
        for (int read = -1; read != 0 && length < bytes.Length; length += read)
        {
            read = file.Read(bytes, length, bytes.Length - length);
        }

        Array.Resize(ref bytes, length);
        return bytes;
    }

    /// <summary>Reads it where it is there; another program may have removed it just now.</summary>
    /// <exception cref="IOException">It is there and cannot be read, or is no file.</exception>
    public static byte[]? TryRead(string path)
    {
        try
        {
            return Read(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }
}
