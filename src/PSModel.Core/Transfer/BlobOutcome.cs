namespace PSModel.Core.Transfer;

/// <summary>How a blob came to be in the store.</summary>
public enum BlobOutcome
{
    /// <summary>Its bytes came over the wire, in this call or partly in earlier ones.</summary>
    Downloaded,

    /// <summary>It lies in a folder of the volume, was read there, and shares its bytes with the file there.</summary>
    Linked,

    /// <summary>It was there, with the size that the manifest names. It was read only where a repair was asked for.</summary>
    AlreadyPresent,

    /// <summary>It was there and damaged, and what was wrong with it was fetched again.</summary>
    Repaired,
}
