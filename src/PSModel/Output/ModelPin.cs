namespace PSModel;

/// <summary>A model pinned by the digest of its manifest. Its properties bind to those of Save-ModelBlob.</summary>
public sealed class ModelPin
{
    internal ModelPin()
    {
    }

    /// <summary>The name, with the digest behind it: <c>demo:1b@sha256:…</c>.</summary>
    public string? Name { get; internal set; }

    /// <summary>The digest alone.</summary>
    public string? ManifestDigest { get; internal set; }

    /// <summary>The address of the registry or of the manifest, or the path of the folder, that it came from.</summary>
    public string? Origin { get; internal set; }

    /// <summary>What runs it, where it is one of a list of manifests.</summary>
    public string? Runner { get; internal set; }
}
