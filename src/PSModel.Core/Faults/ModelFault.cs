namespace PSModel.Core.Faults;

/// <summary>What went wrong. The names are the error ids that scripts see, so they are part of the public contract.</summary>
public enum ModelFault
{
    /// <summary>A model name outside the grammar of <see cref="Names.ModelName"/>.</summary>
    InvalidModelName,

    /// <summary>A digest that is not <c>sha256:</c> and 64 lowercase hexadecimal digits.</summary>
    InvalidDigest,

    /// <summary>The registry, or the store, has no such model or tag.</summary>
    ManifestNotFound,

    /// <summary>The registry, the manifest or the store has no such blob.</summary>
    BlobNotFound,

    /// <summary>A manifest that is not a single image manifest, or breaks a bound.</summary>
    ManifestInvalid,

    /// <summary>The bytes that arrived do not have the digest that the manifest names.</summary>
    DigestMismatch,

    /// <summary>The bytes that arrived were right, and reading the file gives others.</summary>
    ReadBackMismatch,

    /// <summary>More or fewer bytes than the manifest names.</summary>
    SizeMismatch,

    /// <summary>No connection could be made, a proxy refused to make it, or it was lost each time before a byte came.</summary>
    RegistryUnreachable,

    /// <summary>An answer that is not what the request asked for.</summary>
    UnexpectedStatus,

    /// <summary>Connections opened, and nothing came for the time allowed.</summary>
    TransferStalled,

    /// <summary>The registry wants credentials or a client certificate, or refused what was given.</summary>
    AuthenticationFailed,

    /// <summary>Plain http to another machine without leave.</summary>
    UnencryptedRefused,

    /// <summary>A redirect from an encrypted to an unencrypted address.</summary>
    UntrustedRedirect,

    /// <summary>A token service on a host that is not the registry's.</summary>
    UntrustedRealm,

    /// <summary>The volume has less room than the blob needs.</summary>
    InsufficientDiskSpace,

    /// <summary>There is no store at a path that is to be read.</summary>
    StoreNotFound,

    /// <summary>The store cannot be created or written at all.</summary>
    StoreNotWritable,

    /// <summary>A write to the store failed underway.</summary>
    StoreWriteFailed,

    /// <summary>The blob's file is held by another program.</summary>
    BlobInUse,

    /// <summary>The blob's file cannot be opened for reading.</summary>
    BlobUnreadable,

    /// <summary>The file system does not let files be read in the mode that was asked for.</summary>
    ReadModeNotSupported,
}
