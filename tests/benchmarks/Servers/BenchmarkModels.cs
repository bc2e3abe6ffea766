using System.Text.Json;
using PSModel.Loopback;

namespace PSModel.Benchmarks.Servers;

/// <summary>The models that scenarios fetch.</summary>
internal static class BenchmarkModels
{
    /// <summary>What a session fetches first, so that what is compiled once is compiled. No fault strikes it.</summary>
    public static LoopbackModel Warm { get; } = LoopbackModel.Generate("library/warm", "latest", 32 * Units.MiB, seed: 99);

    /// <summary>The same where a blob is as large as this or larger, and comes as fast as it can: short ones warm up but half.</summary>
    public static LoopbackModel WarmLarge(long size) => LoopbackModel.Generate("library/warm", "latest", size / 2, seed: 99);

    /// <summary>A model of one large blob.</summary>
    public static LoopbackModel One(long size, string name = "bench") => LoopbackModel.Generate($"library/{name}", "latest", size);

    /// <summary>Whether a blob of a measured model is asked for.</summary>
    public static bool IsMeasured(LoopbackRequest request) => request.IsBlob && !request.Path.Contains("/warm/", StringComparison.Ordinal);

    /// <summary>skopeo refuses Ollama's media types, so it gets some of the blobs as an OCI image's layers.</summary>
    public static byte[] OciManifest(LoopbackModel model, int layers) => JsonSerializer.SerializeToUtf8Bytes(new
    {
        schemaVersion = 2,
        mediaType = "application/vnd.oci.image.manifest.v1+json",
        config = Entry("application/vnd.oci.image.config.v1+json", model.Blobs[^1]),
        layers = model.Blobs.Take(layers).Select(blob => Entry("application/vnd.oci.image.layer.v1.tar", blob)).ToArray(),
    });

    private static object Entry(string mediaType, BlobContent blob) => new { mediaType, digest = blob.Digest, size = blob.Length };
}
