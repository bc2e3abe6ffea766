using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using PSModel.Loopback;

namespace PSModel.TestParts;

/// <summary>A store as Ollama leaves it, made by hand: the tree that every Ollama reads, and that of a later one (change 16590).</summary>
public sealed class OllamaStore(string root)
{
    private static readonly string[] Trees = ["manifests", "manifests-v2"];
    private static readonly string[] Lists = ["layers", "manifests"];

    private const string DockerManifest = "application/vnd.docker.distribution.manifest.v2+json";

    /// <summary>Where a name's manifest lies, given as host, namespace, model and tag.</summary>
    public string ManifestPath(params string[] parts) => Path.Combine([root, "manifests", .. parts]);

    /// <summary>Where a later Ollama's entry for a name lies, given in the same way.</summary>
    public string EntryPath(params string[] parts) => Path.Combine([root, "manifests-v2", .. parts]);

    /// <summary>The text of a list of manifests.</summary>
    public static byte[] ListOf(params (string? Runner, string? Format, byte[] Manifest)[] manifests) => JsonSerializer.SerializeToUtf8Bytes(new
    {
        schemaVersion = 2,
        mediaType = "application/vnd.ollama.manifest.list.v2+json",
        manifests = manifests.Select(each => new { mediaType = DockerManifest, digest = DigestOf(each.Manifest), runner = each.Runner, format = each.Format }),
    });

    /// <summary>A manifest as a later Ollama leaves it for an earlier one: with a layer more for each manifest among the blobs.</summary>
    public static byte[] Anchored(byte[] manifest, params byte[][] kept)
    {
        using JsonDocument document = JsonDocument.Parse(manifest);
        Dictionary<string, object> root = document.RootElement.EnumerateObject().ToDictionary(property => property.Name, property => (object)property.Value.Clone());
        root["layers"] = document.RootElement.GetProperty("layers").EnumerateArray().Select(layer => (object)layer.Clone())
            .Concat(kept.Select(each => new { mediaType = DockerManifest, digest = DigestOf(each), size = each.Length }))
            .ToArray();
        return JsonSerializer.SerializeToUtf8Bytes(root);
    }

    /// <summary><c>sha256:</c> and so on of some bytes.</summary>
    public static string DigestOf(byte[] bytes) => $"sha256:{Convert.ToHexStringLower(SHA256.HashData(bytes))}";

    /// <summary>Puts bytes among the blobs.</summary>
    /// <returns>The path.</returns>
    public string PutBlob(byte[] bytes)
    {
        string path = Path.Combine(root, "blobs", DigestOf(bytes).Replace(':', '-'));
        Put(path, bytes);
        return path;
    }

    /// <summary>Puts all blobs of a model there.</summary>
    public void PutBlobs(LoopbackModel model)
    {
        foreach (BlobContent blob in model.Blobs)
        {
            PutBlob(BytesOf(blob));
        }
    }

    /// <summary>All bytes of a blob.</summary>
    public static byte[] BytesOf(BlobContent blob)
    {
        byte[] bytes = new byte[blob.Length];
        for (int offset = 0; offset < bytes.Length;)
        {
            ReadOnlyMemory<byte> piece = blob.Piece(offset, bytes.Length);
            piece.CopyTo(bytes.AsMemory(offset));
            offset += piece.Length;
        }

        return bytes;
    }

    /// <summary>Puts a manifest into the tree that every Ollama reads.</summary>
    public void PutManifest(byte[] manifest, params string[] parts) => Put(ManifestPath(parts), manifest);

    /// <summary>Puts a manifest, or a list of them, among the blobs, and an entry for it into a later Ollama's tree.</summary>
    public void PutEntry(EntryKind kind, byte[] manifest, params string[] parts)
    {
        string blob = PutBlob(manifest);
        string path = EntryPath(parts);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        switch (kind)
        {
            case EntryKind.Link:
                File.CreateSymbolicLink(path, Path.Combine("..", "..", "..", "..", "blobs", Path.GetFileName(blob)));
                break;
            case EntryKind.HardLink when OperatingSystem.IsWindows():
                Assert(CreateHardLink(path, blob, IntPtr.Zero));
                break;
            case EntryKind.HardLink:
                Assert(Link(Encoding.UTF8.GetBytes(blob + '\0'), Encoding.UTF8.GetBytes(path + '\0')) == 0);
                break;
            default:
                File.WriteAllBytes(path, manifest);
                break;
        }
    }

    /// <summary>What Ollama removes when it starts: blobs over an hour old that neither tree names, as long as each entry of them
    /// leads to a blob.</summary>
    public void Prune()
    {
        HashSet<string> named = [];
        foreach (string path in Trees.Select(tree => Path.Combine(root, tree)).Where(Directory.Exists).SelectMany(tree => Directory.GetFiles(tree, "*", SearchOption.AllDirectories)))
        {
            byte[] bytes = File.ReadAllBytes(path);
            named.Add(DigestOf(bytes));
            using JsonDocument document = JsonDocument.Parse(bytes);
            foreach (string list in Lists)
            {
                if (document.RootElement.TryGetProperty(list, out JsonElement entries) && entries.ValueKind == JsonValueKind.Array)
                {
                    named.UnionWith(entries.EnumerateArray().Select(entry => entry.GetProperty("digest").GetString()!));
                }
            }

            if (document.RootElement.TryGetProperty("config", out JsonElement config))
            {
                named.Add(config.GetProperty("digest").GetString()!);
            }
        }

        DateTime hourAgo = DateTime.UtcNow.AddHours(-1);
        foreach (string blob in Directory.GetFiles(Path.Combine(root, "blobs")).Where(blob => File.GetLastWriteTimeUtc(blob) < hourAgo && !named.Contains(Path.GetFileName(blob).Replace('-', ':'))))
        {
            File.Delete(blob);
        }
    }

    private static void Put(string path, byte[] bytes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes);
    }

    private static void Assert(bool isDone)
    {
        if (!isDone)
        {
            throw new IOException($"The link could not be made ({Marshal.GetLastPInvokeError()}).");
        }
    }

    [DllImport("libc", EntryPoint = "link", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Link(byte[] from, byte[] to);

    [DllImport("kernel32", EntryPoint = "CreateHardLinkW", SetLastError = true, CharSet = CharSet.Unicode)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static extern bool CreateHardLink(string path, string existing, IntPtr security);
}
