using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Metering;
using PSModel.Core.Names;
using PSModel.Core.Registry;

namespace PSModel.Core.Publishing;

/// <summary>Where a model is published: a repository of a registry, or a folder. Its methods block. Thread-safe.</summary>
internal interface IPublishTarget
{
    /// <summary>Where the manifest goes, for messages.</summary>
    string Place { get; }

    /// <summary>Looks whether a blob is there.</summary>
    /// <exception cref="ModelFaultException">It cannot be told, or is there in another size.</exception>
    BlobPresence Look(Layer layer, CancellationToken cancellationToken);

    /// <summary>Brings a blob there; it is hashed on its way, and is there afterwards only if it is right.</summary>
    /// <exception cref="ModelFaultException">It is not there.</exception>
    PublishOutcome Send(StoredBlob blob, TransferMeter meter, CancellationToken cancellationToken);

    /// <summary>A blob of this digest is there from now on.</summary>
    void NoteThere(BlobDigest digest);

    /// <summary>Whether the manifest is there already, under the very name.</summary>
    bool HasManifest(Manifest manifest, CancellationToken cancellationToken);

    /// <summary>Writes the manifest, byte for byte.</summary>
    /// <returns>Whether it was taken; it is not where a blob of it is missing.</returns>
    bool PutManifest(Manifest manifest, CancellationToken cancellationToken);
}
