using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using PSModel.Loopback;

namespace PSModel.TestParts;

/// <summary>A store as Ollama leaves it, made by hand: the tree that every Ollama reads, and that of a later one (change 16590).</summary>
public sealed class OllamaStore(string root)
{
    private static readonly string[] Trees = ["manifests-v2", "manifests"];
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

    /// <summary>What a later Ollama removes when it starts: blobs over an hour old that no model names. A model is what the first file of
    /// its name says, of <c>manifests-v2/</c> before <c>manifests/</c>, and in the order of their letters; both names of the default
    /// host are one. Nothing goes where one of these cannot be read.</summary>
    public void Prune()
    {
        Dictionary<string, string> models = [];
        foreach (string path in Trees.SelectMany(FilesOf))
        {
            models.TryAdd(NameOf(path), path);
        }

        if (models.Values.Any(path => !File.Exists(path)))
        {
            return;
        }

        HashSet<string> named = [];
        foreach (string path in models.Values)
        {
            Collect(File.ReadAllBytes(path), named);
        }

        DateTime hourAgo = DateTime.UtcNow.AddHours(-1);
        foreach (string blob in Directory.GetFiles(Path.Combine(root, "blobs")).Where(blob => File.GetLastWriteTimeUtc(blob) < hourAgo && !named.Contains(Path.GetFileName(blob).Replace('-', ':'))))
        {
            File.Delete(blob);
        }
    }

    /// <summary>What <c>ollama rm</c> does: the manifest goes, and then each blob of it that no other one names, for which all are
    /// read each time.</summary>
    /// <param name="looked">Called between a look at the manifests and what follows from it.</param>
    /// <param name="parts">The parts of the manifest's path.</param>
    public void Remove(Action looked, params string[] parts)
    {
        HashSet<string> own = [];
        Collect(File.ReadAllBytes(ManifestPath(parts)), own);
        for (bool isGone = false; !isGone;)
        {
            try
            {
                File.Delete(ManifestPath(parts));
                isGone = true;
            }
            catch (IOException)
            {
                // Windows removes nothing that is just being read.
            }
        }

        foreach (string digest in own)
        {
            HashSet<string> named = [];
            Array.ForEach([.. Trees.SelectMany(FilesOf)], path => Collect(File.ReadAllBytes(path), named));
            looked();
            if (!named.Contains(digest))
            {
                File.Delete(Path.Combine(root, "blobs", digest.Replace(':', '-')));
            }
        }
    }

    private string[] FilesOf(string tree)
    {
        string folder = Path.Combine(root, tree);
        return Directory.Exists(folder) ? [.. Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)] : [];
    }

    private string NameOf(string path)
    {
        string[] parts = Path.GetRelativePath(root, path).Split(Path.DirectorySeparatorChar);
        string host = parts[1].Replace("%3A", ":", StringComparison.OrdinalIgnoreCase);
        return string.Join('/', [host == "ollama.com" ? "registry.ollama.ai" : host, .. parts[2..]]);
    }

    /// <summary>The digests of a manifest, and of those that are there of a list.</summary>
    private void Collect(byte[] bytes, HashSet<string> named)
    {
        named.Add(DigestOf(bytes));
        using JsonDocument document = JsonDocument.Parse(bytes);
        foreach (JsonElement entry in Lists.Select(list => document.RootElement.TryGetProperty(list, out JsonElement entries) && entries.ValueKind == JsonValueKind.Array ? entries : default).Where(entries => entries.ValueKind == JsonValueKind.Array).SelectMany(entries => entries.EnumerateArray()))
        {
            string digest = entry.GetProperty("digest").GetString()!;
            named.Add(digest);
            string blob = Path.Combine(root, "blobs", digest.Replace(':', '-'));
            if (entry.TryGetProperty("runner", out _) && File.Exists(blob))
            {
                Collect(File.ReadAllBytes(blob), named);
            }
        }

        if (document.RootElement.TryGetProperty("config", out JsonElement config))
        {
            named.Add(config.GetProperty("digest").GetString()!);
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
