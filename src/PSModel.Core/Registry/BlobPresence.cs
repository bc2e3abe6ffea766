namespace PSModel.Core.Registry;

/// <summary>Whether a target has a blob.</summary>
internal enum BlobPresence
{
    /// <summary>It has none, or does not say.</summary>
    Absent,

    /// <summary>It has it, and does not say how large it is.</summary>
    Present,

    /// <summary>It has it, with the size that the manifest names.</summary>
    OfSize,
}
