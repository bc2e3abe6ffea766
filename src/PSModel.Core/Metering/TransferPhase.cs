namespace PSModel.Core.Metering;

/// <summary>What is being done to a blob. The names are those that scripts see.</summary>
public enum TransferPhase
{
    /// <summary>The manifest or the blob's address is being looked up.</summary>
    Resolving,

    /// <summary>Bytes arrive, and are hashed and written.</summary>
    Downloading,

    /// <summary>Bytes are read from the store, hashed and sent.</summary>
    Uploading,

    /// <summary>The finished file is being read back.</summary>
    Verifying,

    /// <summary>The file is being flushed and renamed.</summary>
    Committing,

    /// <summary>The blob is in the store.</summary>
    Completed,
}
