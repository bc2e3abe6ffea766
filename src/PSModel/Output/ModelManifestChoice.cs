namespace PSModel;

/// <summary>What a list of manifests says of one of them.</summary>
public sealed class ModelManifestChoice
{
    internal ModelManifestChoice()
    {
    }

    /// <summary>What runs the model: llamacpp, ggml or mlx; empty where the list does not tell.</summary>
    public string? Runner { get; internal set; }

    /// <summary>The format of the weights: gguf or safetensors; empty where the list does not tell.</summary>
    public string? Format { get; internal set; }

    /// <summary>The SHA-256 of the manifest's bytes.</summary>
    public string? Digest { get; internal set; }

    /// <summary>The manifest's media type.</summary>
    public string? MediaType { get; internal set; }

    /// <summary>Runner, format and digest in a few words.</summary>
    public override string ToString() => string.Join(" ", new[] { Runner, Format, Digest }.Where(word => !string.IsNullOrEmpty(word)));
}
