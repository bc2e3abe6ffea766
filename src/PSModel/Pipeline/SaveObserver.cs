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
internal sealed class SaveObserver(Cmdlet cmdlet, PipelinePump pump, SaveProgress progress, ICollection<BlobDigestPart> only) : ISaveObserver
{
    public Task<bool> ConfirmBlobAsync(Manifest manifest, Layer layer) => pump.AskAsync(() =>
        cmdlet.ShouldProcess($"{layer.Digest} of {manifest.Name.Shortest}", $"Download {layer.Kind} blob, {ByteText.Of(layer.Size)}"));

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
        ModelBlobDigest done = OutputFactory.From(blob);
        cmdlet.WriteVerbose($"{done.Digest}: {done.Status}, {ByteText.Of(done.BytesReceived)} received, {ByteText.Of(done.BytesResumed)} kept from earlier calls, {done.RetryCount} retries, verification {done.Verification}, in {done.Elapsed:g}.");
        cmdlet.WriteObject(done);
    });

    public void BlobFailed(Manifest manifest, string digest, ModelFaultException fault) => pump.Post(() =>
    {
        progress.EndBlob(manifest.Name, digest);
        cmdlet.WriteError(ErrorRecords.From(fault, digest));
    });

    public void Tell(string message) => pump.Post(() => cmdlet.WriteVerbose(OutsideText.OneLine(message)));
}
