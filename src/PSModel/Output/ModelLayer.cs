using PSModel.Core.Faults;

namespace PSModel;

/// <summary>What a manifest says of one blob.</summary>
public sealed class ModelLayer
{
    internal ModelLayer()
    {
    }

    /// <summary>Model, Template, License, Params, Projector, Adapter, System, Messages, Json, Tensor, Draft, Config or Other.</summary>
    public string? Kind { get; internal set; }

    /// <summary>The media type as the manifest writes it.</summary>
    public string? MediaType { get; internal set; }

    /// <summary>The blob's digest.</summary>
    public string? Digest { get; internal set; }

    /// <summary>The layer's own name, that of a tensor for instance; empty where it has none.</summary>
    public string? Name { get; internal set; }

    /// <summary>The blob's size in bytes.</summary>
    public long Size { get; internal set; }

    /// <summary>Kind, digest and size in a few words.</summary>
    public override string ToString() => $"{Kind} {Digest}, {ByteText.Of(Size)}";
}
