namespace PSModel.TestParts;

/// <summary>A folder of a test's own, gone with the test.</summary>
public sealed class TemporaryFolder : IDisposable
{
    /// <summary>Makes it below a folder, or below the system's folder for temporary files.</summary>
    public TemporaryFolder(string? parent = null)
    {
        Path = System.IO.Path.Combine(parent ?? System.IO.Path.GetTempPath(), $"psmodel-test-{Guid.NewGuid():N}");
        Directory.CreateDirectory(Path);
    }

    /// <summary>A folder below which files can have two names: on the overlay of a container that takes a copy.</summary>
    public static string? WithLinks => OperatingSystem.IsLinux() ? "/dev/shm" : null;

    public string Path { get; }

    public string Blobs => System.IO.Path.Combine(Path, "blobs");

    public string Work => System.IO.Path.Combine(Path, ".psmodel");

    /// <summary>The path of a blob of <c>sha256:</c> and so on.</summary>
    public string Blob(string digest) => System.IO.Path.Combine(Blobs, digest.Replace(':', '-'));

    /// <summary>The digest of what a blob's file holds.</summary>
    public string DigestOf(string digest)
    {
        using FileStream file = File.OpenRead(Blob(digest));
        return $"sha256:{Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(file)).ToLowerInvariant()}";
    }

    /// <summary>Every file and folder of a store but the unfinished work, with the files' bytes: what a failure must not change.</summary>
    public SortedDictionary<string, string> Snapshot()
    {
        SortedDictionary<string, string> found = new(StringComparer.Ordinal);
        foreach (string entry in Directory.EnumerateFileSystemEntries(Path, "*", SearchOption.AllDirectories))
        {
            string name = System.IO.Path.GetRelativePath(Path, entry);
            if (!name.StartsWith(".psmodel", StringComparison.Ordinal))
            {
                found[name] = Directory.Exists(entry) ? "folder" : Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(entry)));
            }
        }

        return found;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
