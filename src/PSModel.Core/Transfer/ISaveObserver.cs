using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;

namespace PSModel.Core.Transfer;

/// <summary>Who watches a model being saved. Called from any thread, one call at a time.</summary>
public interface ISaveObserver
{
    /// <summary>Asks whether a blob that is not there may be fetched; before any request or change of a file for it.</summary>
    Task<bool> ConfirmBlobAsync(Manifest manifest, Layer layer);

    /// <summary>Asks whether the manifest may be written.</summary>
    Task<bool> ConfirmManifestAsync(Manifest manifest, string path);

    /// <summary>A blob's turn has come.</summary>
    void BlobStarted(Manifest manifest, Layer layer, TransferMeter meter);

    /// <summary>A blob is in the store.</summary>
    void BlobFinished(SavedBlob blob);

    /// <summary>A blob is not in the store; the next one goes on.</summary>
    void BlobFailed(BlobDigest digest, ModelFaultException fault);

    /// <summary>A sentence of the story, for those who want to read it.</summary>
    void Tell(string message);
}
