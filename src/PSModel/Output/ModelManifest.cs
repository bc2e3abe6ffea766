namespace PSModel;

/// <summary>A model's manifest.</summary>
public sealed class ModelManifest
{
    /// <summary>The name in its shortest form.</summary>
    public string? Name { get; set; }

    /// <summary>The registry's host.</summary>
    public string? Host { get; set; }

    /// <summary>The namespace.</summary>
    public string? Namespace { get; set; }

    /// <summary>The model.</summary>
    public string? Model { get; set; }

    /// <summary>The tag.</summary>
    public string? Tag { get; set; }

    /// <summary>The SHA-256 of the manifest's bytes.</summary>
    public string? Digest { get; set; }

    /// <summary>The manifest's media type.</summary>
    public string? MediaType { get; set; }

    /// <summary>2.</summary>
    public int SchemaVersion { get; set; }

    /// <summary>The config blob; empty where there is none.</summary>
    public ModelLayer? Config { get; set; }

    /// <summary>The layers in order.</summary>
    public ModelLayer[] Layers { get; set; } = [];

    /// <summary>The sum of all sizes in bytes.</summary>
    public long Size { get; set; }

    /// <summary>The address or the path it was read from.</summary>
    public string? Source { get; set; }

    /// <summary>The text, as it was read.</summary>
    public string? Raw { get; set; }
}
