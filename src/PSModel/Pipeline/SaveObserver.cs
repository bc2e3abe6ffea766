using System.Management.Automation;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Metering;
using PSModel.Core.Names;
using PSModel.Core.Transfer;
using PSModel.Output;

namespace PSModel.Pipeline;

/// <summary>Carries what a transfer tells to the pipeline thread, and its questions too. Thread-safe.</summary>
internal sealed class SaveObserver(PSCmdlet cmdlet, PipelinePump pump, TransferProgress progress, ICollection<BlobDigestPart> only, SaveForecast? forecast, SaveSummary? summary)
    : ModelObserver(cmdlet, pump, progress, only), ISaveObserver
{
    private readonly PSCmdlet _cmdlet = cmdlet;
    private readonly PipelinePump _pump = pump;
    private readonly TransferProgress _progress = progress;
    private readonly Allowance _allowance = new();

    public override Task<bool> ConfirmBlobAsync(Manifest manifest, Layer layer) => IsSilent && _allowance.TryTake(manifest) ? Task.FromResult(true) : _pump.AskAsync(() =>
    {
        string kept = forecast?.Fetch(layer) is > 0 and { } bytes ? $", {ByteText.Of(bytes)} of it kept from earlier calls" : string.Empty;
        bool isWanted = _cmdlet.ShouldProcess($"{layer.Digest} of {manifest.Name.Shortest}", $"Download {layer.Kind} blob, {ByteText.Of(layer.Size)}{kept}");
        if (isWanted)
        {
            _allowance.Give(manifest);
        }

        return isWanted;
    });

    public override Task<bool> ConfirmManifestAsync(Manifest manifest, string path) => _pump.AskAsync(() =>
    {
        bool isWanted = _cmdlet.ShouldProcess(path, $"Write manifest of {manifest.Name.Shortest}");
        summary?.Answer(manifest, isWanted);
        return isWanted;
    });

    public void BlobFinished(SavedBlob blob) => _pump.PostSoon(() =>
    {
        _progress.EndBlob(blob.Name, blob.Layer.Digest.ToString());
        forecast?.Keep(blob.Layer);
        ModelBlobDigest done = OutputFactory.From(blob);
        if (!IsSilent)
        {
            _cmdlet.WriteVerbose($"{done.Digest}: {done.Status}, {ByteText.Of(done.BytesReceived)} received, {ByteText.Of(done.BytesResumed)} kept from earlier calls, {done.RetryCount} retries, verification {done.Verification}, in {done.Elapsed:g}.");
        }

        if (summary is not null)
        {
            summary.Add(blob.Target, done);
        }
        else
        {
            _cmdlet.WriteObject(done);
        }
    });

    protected override void Requested(string target) => summary?.Ask(target);

    protected override void Started(string target, Manifest manifest) => summary?.Begin(target, manifest);

    protected override void Broken(string target, TransferMeter meter) => summary?.Count(target, meter.BytesReceived, meter.BytesResumed);

    protected override void Failed(string target, ErrorRecord error) => summary?.Fail(target, error);

    protected override void Ended(string target)
    {
        if (summary is not null)
        {
            WholeObject.Write(_cmdlet, summary.End(target));
        }
    }

    protected override string? SubjectOf(Manifest manifest, ModelFaultException fault) =>
        fault.Fault == ModelFault.StoreNotWritable ? fault.Facts.Path ?? manifest.Name.Shortest : null;
}
