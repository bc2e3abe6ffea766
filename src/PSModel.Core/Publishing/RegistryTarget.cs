using System.Collections.Concurrent;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Metering;
using PSModel.Core.Names;
using PSModel.Core.Registry;

namespace PSModel.Core.Publishing;

/// <summary>A repository of a registry. Thread-safe.</summary>
/// <param name="push">The repository.</param>
/// <param name="origin">Another repository of the same registry, from which the model is known to come; <see langword="null"/> where
/// it is not.</param>
/// <param name="known">In which repositories of the registry the call has seen blobs.</param>
/// <param name="options">How to send.</param>
internal sealed class RegistryTarget(RegistryPush push, string? origin, ConcurrentDictionary<BlobDigest, string> known, PublishOptions options) : IPublishTarget
{
    public string Place => OutsideText.Of(push.ManifestAddress);

    public BlobPresence Look(Layer layer, CancellationToken cancellationToken) =>
        push.Retries.Run(token => push.Look(layer, token), onRetry: null, cancellationToken);

    public PublishOutcome Send(StoredBlob blob, TransferMeter meter, CancellationToken cancellationToken)
    {
        string? from = known.TryGetValue(blob.Layer.Digest, out string? seen) ? seen : origin;
        BlobUpload upload = new(push, blob, from == push.Repository ? null : from, meter, options);
        return upload.Run(cancellationToken);
    }

    public void NoteThere(BlobDigest digest) => known.TryAdd(digest, push.Repository);

    public bool HasManifest(Manifest manifest, CancellationToken cancellationToken) =>
        push.Retries.Run(token => push.HasManifest(manifest, token), onRetry: null, cancellationToken);

    public bool PutManifest(Manifest manifest, CancellationToken cancellationToken) =>
        push.Retries.Run(token => push.PutManifest(manifest, token), onRetry: null, cancellationToken);
}
