using PSModel.Core.Faults;
using PSModel.Core.Manifests;

namespace PSModel.Core.Metering;

/// <summary>Who watches models being brought somewhere. Called from any thread, and from several at once; questions one at a time.</summary>
public interface IModelObserver
{
    /// <summary>Asks whether a blob that is not there may be brought; before any change for it.</summary>
    Task<bool> ConfirmBlobAsync(Manifest manifest, Layer layer);

    /// <summary>Asks whether the manifest may be written.</summary>
    Task<bool> ConfirmManifestAsync(Manifest manifest, string path);

    /// <summary>A model's manifest is being looked up.</summary>
    void ModelRequested(string target);

    /// <summary>A model's manifest is there.</summary>
    /// <param name="target">What the user named it by.</param>
    /// <param name="manifest">The manifest.</param>
    void ModelStarted(string target, Manifest manifest);

    /// <summary>Nothing more will be done for a model.</summary>
    /// <param name="target">What the user named it by.</param>
    /// <param name="fault">Why its manifest could not be had, or not be written; <see langword="null"/> where that is not so.</param>
    void ModelEnded(string target, ModelFaultException? fault);

    /// <summary>A blob's turn has come.</summary>
    void BlobStarted(Manifest manifest, Layer layer, TransferMeter meter);

    /// <summary>A blob is not where it is to be; the next one goes on.</summary>
    /// <param name="target">What the user named its model by.</param>
    /// <param name="manifest">The model.</param>
    /// <param name="digest">The blob's digest, or what was given for one.</param>
    /// <param name="meter">How much of it came; <see langword="null"/> where its turn had not come, or it had ended before.</param>
    /// <param name="fault">Why it is not.</param>
    void BlobFailed(string target, Manifest manifest, string digest, TransferMeter? meter, ModelFaultException fault);

    /// <summary>A sentence that everybody should read.</summary>
    void Warn(string message);

    /// <summary>A sentence for those who want to read how it goes.</summary>
    void Tell(string message);
}
