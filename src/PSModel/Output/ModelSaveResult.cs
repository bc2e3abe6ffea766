namespace PSModel;

/// <summary>What became of a model that was to be saved. Plain values, so that it survives remoting. Sizes are in bytes.</summary>
public sealed class ModelSaveResult
{
    internal ModelSaveResult()
    {
    }

    /// <summary>The model's name in its shortest form, or what was given where that is no name.</summary>
    public string? Name { get; internal set; }

    /// <summary>Saved, AlreadyPresent (its manifest too), Skipped (leave was not given for all of it) or Failed.</summary>
    public string? Status { get; internal set; }

    /// <summary>The SHA-256 of the manifest's bytes; empty where there was none to be had.</summary>
    public string? ManifestDigest { get; internal set; }

    /// <summary>The sum of the sizes that the manifest names.</summary>
    public long Size { get; internal set; }

    /// <summary>The blobs that are in the store, as they came there.</summary>
    public ModelBlobDigest[] Blobs { get; internal set; } = [];

    /// <summary>What came over the wire in this call, that of blobs which failed included.</summary>
    public long BytesReceived { get; internal set; }

    /// <summary>What was kept from earlier calls, and gone on from.</summary>
    public long BytesResumed { get; internal set; }

    /// <summary>The time from the look-up of its manifest to its end; other models of the call may have been fetched meanwhile.</summary>
    public TimeSpan Elapsed { get; internal set; }

    /// <summary>Why it failed: an entry for each blob that did, and for the manifest.</summary>
    public ModelSaveError[] Errors { get; internal set; } = [];
}
