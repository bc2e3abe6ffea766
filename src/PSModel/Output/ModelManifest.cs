namespace PSModel;

/// <summary>A model's manifest.</summary>
public sealed class ModelManifest
{
    internal ModelManifest()
    {
    }

    /// <summary>The name in its shortest form.</summary>
    public string? Name { get; internal set; }

    /// <summary>The registry's host.</summary>
    public string? Host { get; internal set; }

    /// <summary>The namespace.</summary>
    public string? Namespace { get; internal set; }

    /// <summary>The model.</summary>
    public string? Model { get; internal set; }

    /// <summary>The tag.</summary>
    public string? Tag { get; internal set; }

    /// <summary>The SHA-256 of the manifest's bytes.</summary>
    public string? Digest { get; internal set; }

    /// <summary>The SHA-256 of what the registry served: another one where the manifest was made of that of a model for other programs.</summary>
    public string? ServedDigest { get; internal set; }

    /// <summary>The manifest's media type.</summary>
    public string? MediaType { get; internal set; }

    /// <summary>2.</summary>
    public int SchemaVersion { get; internal set; }

    /// <summary>The config blob; empty where there is none.</summary>
    public ModelLayer? Config { get; internal set; }

    /// <summary>The layers in order.</summary>
    public ModelLayer[] Layers { get; internal set; } = [];

    /// <summary>The sum of all sizes in bytes.</summary>
    public long Size { get; internal set; }

    /// <summary>The address or the path it was read from.</summary>
    public string? Source { get; internal set; }

    /// <summary>The registry that a manifest of the store came from, where it was not https and the host, or the folder that -Source
    /// named; empty elsewhere.</summary>
    public string? Origin { get; internal set; }

    /// <summary>What runs the model, llamacpp, ggml or mlx, where it was chosen from a list, or says so itself; empty elsewhere.</summary>
    public string? Runner { get; internal set; }

    /// <summary>The format of the weights, gguf or safetensors, where a list told, or the manifest itself; empty elsewhere.</summary>
    public string? Format { get; internal set; }

    /// <summary>The manifests of the list that it was chosen from; none where it was served alone.</summary>
    public ModelManifestChoice[] Manifests { get; internal set; } = [];

    /// <summary>The text, as it was read.</summary>
    public string? Raw { get; internal set; }
}
