using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Metering;
using PSModel.Core.Names;
using PSModel.Core.Registry;
using PSModel.Core.Store;

namespace PSModel.Core.Publishing;

/// <summary>A folder that is an OCI image layout. Thread-safe.</summary>
internal sealed class LayoutTarget(LayoutFolder folder, Action<string> tell) : IPublishTarget
{
    public string Place => folder.IndexPath;

    public BlobPresence Look(Layer layer, CancellationToken cancellationToken) =>
        folder.Has(layer.Digest, layer.Size) ? BlobPresence.OfSize : BlobPresence.Absent;

    public PublishOutcome Send(StoredBlob blob, TransferMeter meter, CancellationToken cancellationToken)
    {
        folder.Create(cancellationToken);
        using BlobLock held = folder.Lock(blob.Layer.Digest, tell, cancellationToken);
        if (folder.Has(blob.Layer.Digest, blob.Layer.Size))
        {
            // Another process has just copied it.
            return PublishOutcome.AlreadyPresent;
        }

        folder.RequireRoom(blob.Layer);
        meter.Phase = TransferPhase.Uploading;
        using HashedFile file = HashedFile.Open(blob);
        folder.WriteBlob(blob.Layer.Digest, copy => file.ReadTo(blob.Layer.Size, (piece, start, count) =>
        {
            copy.Write(piece, start, count);
            meter.Send(count);
        }, cancellationToken), () =>
        {
            file.RequireRight(cancellationToken);
            meter.Phase = TransferPhase.Committing;
        });
        return PublishOutcome.Published;
    }

    public void NoteThere(BlobDigest digest)
    {
    }

    public bool HasManifest(Manifest manifest, CancellationToken cancellationToken)
    {
        OciForm? form = OciForm.Of(manifest);
        return folder.Has(manifest.Digest, manifest.GetBytes().Length)
            && (form is null || folder.Has(form.Digest, form.Bytes.Length))
            && folder.Reads(index => LayoutIndex.Has(index, manifest, form));
    }

    public bool PutManifest(Manifest manifest, CancellationToken cancellationToken)
    {
        folder.Create(cancellationToken);
        if (!manifest.Blobs.All(layer => folder.Has(layer.Digest, layer.Size)))
        {
            return false;
        }

        OciForm? form = OciForm.Of(manifest);
        if (form is not null)
        {
            Put(form.Digest, form.Bytes, cancellationToken);
        }

        Put(manifest.Digest, manifest.GetBytes(), cancellationToken);
        folder.ChangeIndex(index => LayoutIndex.With(index, manifest, form), cancellationToken);
        return true;
    }

    private void Put(BlobDigest digest, byte[] bytes, CancellationToken cancellationToken)
    {
        using BlobLock held = folder.Lock(digest, tell, cancellationToken);
        folder.WriteBlob(digest, copy => copy.Write(bytes, 0, bytes.Length), () => { });
    }
}
