namespace PSModel.Core.Transfer;

/// <summary>How a blob came to be in the store.</summary>
public enum BlobOutcome
{
    /// <summary>Its bytes came over the wire, in this call or partly in earlier ones.</summary>
    Downloaded,

    /// <summary>It was there, with the size that the manifest names; it was not read.</summary>
    AlreadyPresent,
}
