using System.Text.Json;
using PSModel.Loopback;

namespace PSModel.TestParts;

/// <summary>An OCI image layout, made by hand.</summary>
public sealed class OciLayout(string root)
{
    private readonly List<object> _manifests = [];

    /// <summary>Where a blob of <c>sha256:</c> and so on lies.</summary>
    public string Blob(string digest) => Path.Combine(root, "blobs", "sha256", digest.Split(':')[1]);

    /// <summary>Puts a model there, and lists its manifest.</summary>
    /// <param name="model">The model.</param>
    /// <param name="annotations">Of the manifest in the index: keys and values in turn.</param>
    public void Put(LoopbackModel model, params string[] annotations)
    {
        foreach (BlobContent blob in model.Blobs)
        {
            PutBlob(OllamaStore.BytesOf(blob));
        }

        string digest = PutBlob(model.Manifest);
        _manifests.Add(new
        {
            mediaType = "application/vnd.docker.distribution.manifest.v2+json",
            digest,
            size = model.Manifest.Length,
            annotations = annotations.Chunk(2).ToDictionary(pair => pair[0], pair => pair[1]),
        });
        File.WriteAllText(Path.Combine(root, "oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
        File.WriteAllBytes(Path.Combine(root, "index.json"), JsonSerializer.SerializeToUtf8Bytes(new { schemaVersion = 2, manifests = _manifests }));
    }

    /// <summary>Puts bytes among the blobs.</summary>
    /// <returns>Their digest.</returns>
    public string PutBlob(byte[] bytes)
    {
        string digest = OllamaStore.DigestOf(bytes);
        Directory.CreateDirectory(Path.GetDirectoryName(Blob(digest))!);
        File.WriteAllBytes(Blob(digest), bytes);
        return digest;
    }
}
