using PSModel.Core.Manifests;
using PSModel.Core.Metering;
using PSModel.Core.Names;

namespace PSModel.Core.Publishing;

/// <summary>A blob that is where it was to be published, and how it came there. Immutable.</summary>
public sealed class PublishedBlob
{
    internal PublishedBlob(ModelName name, Layer layer, string path, PublishOutcome outcome, bool isSizeChecked, TransferMeter meter, TimeSpan elapsed)
    {
        Name = name;
        Layer = layer;
        Path = path;
        Outcome = outcome;
        IsSizeChecked = isSizeChecked;
        Meter = meter;
        Elapsed = elapsed;
    }

    /// <summary>The model it was published for.</summary>
    public ModelName Name { get; }

    /// <summary>What the manifest says of it.</summary>
    public Layer Layer { get; }

    /// <summary>Its file in the store.</summary>
    public string Path { get; }

    /// <summary>How it came to be there.</summary>
    public PublishOutcome Outcome { get; }

    /// <summary>Whether one that was there has the size that the manifest names, as far as it was told.</summary>
    public bool IsSizeChecked { get; }

    /// <summary>What was done.</summary>
    public TransferMeter Meter { get; }

    /// <summary>The time that it took.</summary>
    public TimeSpan Elapsed { get; }
}
