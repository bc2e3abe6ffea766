using PSModel.Core.Names;

namespace PSModel.Core.Manifests;

/// <summary>What a manifest says of one blob. Immutable.</summary>
public sealed class Layer
{
    internal Layer(BlobDigest digest, long size, string mediaType, string? name = null)
    {
        Digest = digest;
        Size = size;
        MediaType = mediaType;
        Name = name;
    }

    /// <summary>The blob's name.</summary>
    public BlobDigest Digest { get; }

    /// <summary>Its size in bytes, never negative.</summary>
    public long Size { get; }

    /// <summary>Its media type, as the manifest writes it.</summary>
    public string MediaType { get; }

    /// <summary>Its own name, that of a tensor for instance, fit to be shown; <see langword="null"/> where it has none.</summary>
    public string? Name { get; }

    /// <summary>What it is for, <c>Model</c> or <c>Template</c> for instance; <c>Other</c> where the media type is not known.</summary>
    public string Kind => MediaTypes.KindOf(MediaType);
}
