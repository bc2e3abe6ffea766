using PSModel.Core.Manifests;
using PSModel.Core.Metering;
using PSModel.Core.Names;

namespace PSModel.Core.Transfer;

/// <summary>A blob that is in the store, and how it came there. Immutable.</summary>
public sealed class SavedBlob
{
    internal SavedBlob(string target, ModelName name, Layer layer, string path, BlobOutcome outcome, bool isReadBack, TransferMeter meter, TimeSpan elapsed)
    {
        Target = target;
        Name = name;
        Layer = layer;
        Path = path;
        Outcome = outcome;
        IsReadBack = isReadBack;
        Meter = meter;
        Elapsed = elapsed;
    }

    /// <summary>What the user named its model by.</summary>
    public string Target { get; }

    /// <summary>The model it was fetched for.</summary>
    public ModelName Name { get; }

    /// <summary>What the manifest says of it.</summary>
    public Layer Layer { get; }

    /// <summary>Its file.</summary>
    public string Path { get; }

    /// <summary>How it came to be there.</summary>
    public BlobOutcome Outcome { get; }

    /// <summary>Whether the file was read in this call and found right.</summary>
    public bool IsReadBack { get; }

    /// <summary>What the transfer did.</summary>
    public TransferMeter Meter { get; }

    /// <summary>The time that it took.</summary>
    public TimeSpan Elapsed { get; }
}
