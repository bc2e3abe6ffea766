namespace PSModel.Core.Verification;

/// <summary>What a test of a blob found. The names are those that scripts see.</summary>
public enum BlobStatus
{
    /// <summary>The file has the digest.</summary>
    Valid,

    /// <summary>The bytes read have another digest.</summary>
    DigestMismatch,

    /// <summary>The file has another size than the manifest names; it was not read.</summary>
    SizeMismatch,

    /// <summary>There is no file.</summary>
    Missing,

    /// <summary>The file cannot be read, or is none.</summary>
    Unreadable,
}
