using System.Text.Json;
using System.Text.Json.Nodes;
using PSModel.Core.Manifests;
using PSModel.Core.Names;

namespace PSModel.Core.Publishing;

/// <summary>
/// A manifest of Docker's type once more with that of OCI, over the same blobs. skopeo takes no others from a layout, and of
/// Docker's none with layers of Ollama's; oras takes both. Immutable.
/// </summary>
/// <param name="Digest">The digest of this form.</param>
/// <param name="Bytes">Its text.</param>
internal sealed record OciForm(BlobDigest Digest, byte[] Bytes)
{
    /// <summary>The media type.</summary>
    public static string MediaType => MediaTypes.OciManifest;

    /// <summary>The form of a manifest; <see langword="null"/> where it is of that type already.</summary>
    public static OciForm? Of(Manifest manifest)
    {
        if (manifest.MediaType != MediaTypes.DockerManifest)
        {
            return null;
        }

        JsonObject root = (JsonObject)JsonNode.Parse(manifest.GetBytes())!;
        root["mediaType"] = MediaType;
        byte[] bytes = JsonSerializer.SerializeToUtf8Bytes(root);
        return new OciForm(BlobDigest.Of(bytes), bytes);
    }
}
