namespace PSModel.Core.Manifests;

/// <summary>The media types that matter here. Sources: Ollama's <c>server/images.go</c>, the OCI image specification.</summary>
internal static class MediaTypes
{
    /// <summary>The one that Ollama asks for, and registry.ollama.ai serves.</summary>
    public const string DockerManifest = "application/vnd.docker.distribution.manifest.v2+json";

    /// <summary>The OCI registries' own.</summary>
    public const string OciManifest = "application/vnd.oci.image.manifest.v1+json";

    /// <summary>Ollama's list of the manifests of one model, one for each runner (its change 16590).</summary>
    public const string OllamaList = "application/vnd.ollama.manifest.list.v2+json";

    /// <summary>The config of an image, and of a model of Ollama's.</summary>
    public const string DockerConfig = "application/vnd.docker.container.image.v1+json";

    /// <summary>What the kind of a layer of Ollama's follows.</summary>
    public const string OllamaPrefix = "application/vnd.ollama.image.";

    private const int LongestType = 255;
    private const string OciConfig = "application/vnd.oci.image.config.v1+json";

    private static readonly HashSet<string> OllamaKinds = new(StringComparer.Ordinal)
    {
        "model", "projector", "adapter", "template", "system", "params", "license", "messages", "json", "tensor", "draft",
    };

    /// <summary>Whether the type names a list of manifests for several platforms.</summary>
    public static bool IsIndex(string mediaType) =>
        mediaType is "application/vnd.docker.distribution.manifest.list.v2+json" or "application/vnd.oci.image.index.v1+json";

    /// <summary>Whether the type names a single image manifest.</summary>
    public static bool IsManifest(string mediaType) => mediaType is DockerManifest or OciManifest;

    /// <summary>Whether a layer's type can be one: RFC 6838 has letters, digits and a few signs, 127 of them on either side of the
    /// slash, and parameters may follow. No type at all is allowed.</summary>
    public static bool IsWellFormed(string mediaType) => mediaType.Length <= LongestType && mediaType.All(c => c is >= ' ' and <= '~');

    /// <summary>The kind of a layer of this type, in PascalCase.</summary>
    public static string KindOf(string mediaType)
    {
        if (mediaType is DockerConfig or OciConfig)
        {
            return "Config";
        }

        if (mediaType.StartsWith(OllamaPrefix, StringComparison.Ordinal))
        {
            string kind = mediaType.Substring(OllamaPrefix.Length);
            if (OllamaKinds.Contains(kind))
            {
                return char.ToUpperInvariant(kind[0]) + kind.Substring(1);
            }
        }

        return "Other";
    }
}
