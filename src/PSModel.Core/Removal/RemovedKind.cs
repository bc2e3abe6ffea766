namespace PSModel.Core.Removal;

/// <summary>What a file of a store was.</summary>
public enum RemovedKind
{
    /// <summary>What makes a model: a file of <c>manifests/</c>, or an entry of <c>manifests-v2/</c>.</summary>
    Manifest,

    /// <summary>A blob.</summary>
    Blob,

    /// <summary>Unfinished work: bytes that arrived, a checkpoint, or what was being written when a call was killed.</summary>
    Partial,

    /// <summary>The block map of a blob.</summary>
    BlockMap,

    /// <summary>Where a model came from.</summary>
    Origin,
}
