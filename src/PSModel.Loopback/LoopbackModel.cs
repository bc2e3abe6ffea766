using System.Text;
using System.Text.Json;

namespace PSModel.Loopback;

/// <summary>A model as Ollama's registry offers it: a manifest and its blobs. Immutable.</summary>
public sealed class LoopbackModel
{
    private const string LayerPrefix = "application/vnd.ollama.image.";

    private LoopbackModel(string name, string tag, byte[] manifest, IReadOnlyList<BlobContent> blobs)
    {
        Name = name;
        Tag = tag;
        Manifest = manifest;
        Blobs = blobs;
    }

    /// <summary>Namespace and model, <c>library/demo</c> for instance.</summary>
    public string Name { get; }

    /// <summary>The tag.</summary>
    public string Tag { get; }

    /// <summary>The manifest's bytes.</summary>
    public byte[] Manifest { get; }

    /// <summary>The blobs in the manifest's order, the config last: weights, template, licence, parameters, config.</summary>
    public IReadOnlyList<BlobContent> Blobs { get; }

    /// <summary>Makes up a model.</summary>
    /// <param name="name">Namespace and model.</param>
    /// <param name="tag">The tag.</param>
    /// <param name="size">The bytes of its weights.</param>
    /// <param name="seed">Another seed, other weights.</param>
    public static LoopbackModel Generate(string name, string tag, long size, int seed = 1) =>
        WithWeights(name, tag, BlobContent.Generate(size, seed));

    /// <summary>Makes a model of the weights given.</summary>
    public static LoopbackModel WithWeights(string name, string tag, BlobContent weights)
    {
        (string Kind, BlobContent Content)[] layers =
        [
            ("model", weights),
            ("template", Text("{{ .Prompt }}")),
            ("license", Text("Made up for a test; do with it what you like.\n")),
            ("params", Text("{\"stop\":[\"<end>\"]}")),
        ];
        return Of(name, tag, layers);
    }

    /// <summary>Makes a model of one blob: its weights, and no config.</summary>
    public static LoopbackModel WithWeightsAlone(string name, string tag, BlobContent weights) => new(
        name,
        tag,
        JsonSerializer.SerializeToUtf8Bytes(new { schemaVersion = 2, layers = new[] { Entry(LayerPrefix + "model", weights) } }),
        [weights]);

    /// <summary>Makes up a model of many blobs of one size, as those with a blob for each tensor are; the config is the last.</summary>
    /// <param name="name">Namespace and model.</param>
    /// <param name="tag">The tag.</param>
    /// <param name="count">How many blobs, the config not included.</param>
    /// <param name="size">The bytes of each.</param>
    /// <param name="seed">Another seed, other blobs.</param>
    public static LoopbackModel GenerateMany(string name, string tag, int count, long size, int seed = 1) =>
        Of(name, tag, [.. Enumerable.Range(seed, count).Select(each => ("tensor", BlobContent.Generate(size, each)))]);

    /// <summary>Makes a model of the blobs given; one that comes twice is named twice.</summary>
    public static LoopbackModel OfBlobs(string name, string tag, IEnumerable<BlobContent> blobs) =>
        Of(name, tag, [.. blobs.Select(blob => ("tensor", blob))]);

    /// <summary>The same blobs under a manifest, and perhaps a tag, of your own.</summary>
    public LoopbackModel WithManifest(byte[] manifest, string? tag = null) => new(Name, tag ?? Tag, manifest, Blobs);

    private static LoopbackModel Of(string name, string tag, (string Kind, BlobContent Content)[] layers)
    {
        BlobContent config = Text("{\"model_format\":\"gguf\",\"model_family\":\"demo\"}");
        object manifest = new
        {
            schemaVersion = 2,
            mediaType = "application/vnd.docker.distribution.manifest.v2+json",
            config = Entry("application/vnd.docker.container.image.v1+json", config),
            layers = layers.Select(layer => Entry(LayerPrefix + layer.Kind, layer.Content)).ToArray(),
        };
        return new LoopbackModel(
            name,
            tag,
            JsonSerializer.SerializeToUtf8Bytes(manifest),
            [.. layers.Select(layer => layer.Content), config]);
    }

    private static object Entry(string mediaType, BlobContent content) => new { mediaType, digest = content.Digest, size = content.Length };

    private static BlobContent Text(string text) => BlobContent.Of(Encoding.UTF8.GetBytes(text));
}
