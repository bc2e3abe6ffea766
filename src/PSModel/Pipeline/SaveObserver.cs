using System.Management.Automation;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Metering;
using PSModel.Core.Names;
using PSModel.Core.Transfer;
using PSModel.Errors;
using PSModel.Output;

namespace PSModel.Pipeline;

/// <summary>Carries what a transfer tells to the pipeline thread, and its questions too. Thread-safe.</summary>
internal sealed class SaveObserver(Cmdlet cmdlet, PipelinePump pump, SaveProgress progress, ICollection<BlobDigestPart> only, SaveForecast? forecast) : ISaveObserver
{
    /// <summary>For the pipeline thread alone.</summary>
    private bool _isStoreRefused;

    public Task<bool> ConfirmBlobAsync(Manifest manifest, Layer layer) => pump.AskAsync(() =>
    {
        string kept = forecast?.Fetch(layer) is > 0 and { } bytes ? $", {ByteText.Of(bytes)} of it kept from earlier calls" : string.Empty;
        return cmdlet.ShouldProcess($"{layer.Digest} of {manifest.Name.Shortest}", $"Download {layer.Kind} blob, {ByteText.Of(layer.Size)}{kept}");
    });

    public Task<bool> ConfirmManifestAsync(Manifest manifest, string path) => pump.AskAsync(() =>
        cmdlet.ShouldProcess(path, $"Write manifest of {manifest.Name.Shortest}"));

    public void ModelRequested(string target) => pump.Post(() => progress.BeginLookUp(target));

    public void ModelStarted(Manifest manifest) => pump.Post(() => progress.BeginModel(manifest, only));

    public void ModelEnded(string target, ModelFaultException? fault) => pump.Post(() =>
    {
        progress.EndModel(target);
        if (fault is not null)
        {
            cmdlet.WriteError(ErrorRecords.From(fault, target));
        }
    });

    public void BlobStarted(Manifest manifest, Layer layer, TransferMeter meter) => pump.Post(() => progress.BeginBlob(manifest.Name, layer, meter));

    public void BlobFinished(SavedBlob blob) => pump.Post(() =>
    {
        progress.EndBlob(blob.Name, blob.Layer.Digest.ToString());
        forecast?.Keep(blob.Layer);
        ModelBlobDigest done = OutputFactory.From(blob);
        cmdlet.WriteVerbose($"{done.Digest}: {done.Status}, {ByteText.Of(done.BytesReceived)} received, {ByteText.Of(done.BytesResumed)} kept from earlier calls, {done.RetryCount} retries, verification {done.Verification}, in {done.Elapsed:g}.");
        cmdlet.WriteObject(done);
    });

    public void BlobFailed(Manifest manifest, string digest, ModelFaultException fault) => pump.Post(() =>
    {
        progress.EndBlob(manifest.Name, digest);
        bool isOfStore = fault.Fault == ModelFault.StoreNotWritable;
        if (isOfStore && _isStoreRefused)
        {
            // It is the same for each blob, and said.
            cmdlet.WriteVerbose(OutsideText.OneLine($"{digest}: {fault.Message}"));
            return;
        }

        _isStoreRefused |= isOfStore;
        cmdlet.WriteError(isOfStore ? ErrorRecords.From(fault, fault.Facts.Path ?? digest) : ErrorRecords.From(fault, digest, manifest.Name.Shortest));
    });

    public void Warn(string message) => pump.Post(() => cmdlet.WriteWarning(OutsideText.OneLine(message)));

    public void Tell(string message) => pump.Post(() => cmdlet.WriteVerbose(OutsideText.OneLine(message)));
}
