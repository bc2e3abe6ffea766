using System.Text;
using PSModel.Loopback;

namespace PSModel.TestParts;

/// <summary>Models under manifests that others make.</summary>
public static class ForeignModels
{
    /// <summary>The same model under a manifest of OCI's own type, as skopeo wants it in layouts, and for layers of Ollama's.</summary>
    public static LoopbackModel OfOci(this LoopbackModel model) => model.WithManifest(Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(model.Manifest)
        .Replace("application/vnd.docker.distribution.manifest.v2", "application/vnd.oci.image.manifest.v1", StringComparison.Ordinal)
        .Replace("application/vnd.docker.container.image.v1", "application/vnd.oci.image.config.v1", StringComparison.Ordinal)));

    /// <summary>A model as it is packed for Docker's model runner, <c>ai/llama:8b</c>.</summary>
    /// <param name="config">The text of its config.</param>
    public static LoopbackModel OfDockersRunner(string config)
    {
        BlobContent weights = BlobContent.Generate(2_000_000, 3);
        BlobContent packed = BlobContent.Of(Encoding.UTF8.GetBytes(config));
        return LoopbackModel.OfBlobs("ai/llama", "8b", [weights, packed]).WithManifest(Encoding.UTF8.GetBytes($$"""
            {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.docker.ai.model.config.v0.1+json","digest":"{{packed.Digest}}","size":{{packed.Length}}},
            "layers":[{"mediaType":"application/vnd.docker.ai.gguf.v3","digest":"{{weights.Digest}}","size":{{weights.Length}}}]}
            """));
    }
}
