using System.Management.Automation;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Publishing;
using PSModel.Output;

namespace PSModel.Pipeline;

/// <summary>Carries what the publishing of models tells to the pipeline thread, and its questions too. Thread-safe.</summary>
internal sealed class PublishObserver(Cmdlet cmdlet, PipelinePump pump, TransferProgress progress, ICollection<BlobDigestPart> only, PublishForecast? forecast)
    : ModelObserver(cmdlet, pump, progress, only), IPublishObserver
{
    private readonly Cmdlet _cmdlet = cmdlet;
    private readonly PipelinePump _pump = pump;
    private readonly TransferProgress _progress = progress;

    public override Task<bool> ConfirmBlobAsync(Manifest manifest, Layer layer) => _pump.AskAsync(() =>
    {
        forecast?.Send(layer);
        return _cmdlet.ShouldProcess($"{layer.Digest} of {manifest.Name.Shortest}", $"Publish {layer.Kind} blob, {ByteText.Of(layer.Size)}");
    });

    public override Task<bool> ConfirmManifestAsync(Manifest manifest, string path) => _pump.AskAsync(() =>
        _cmdlet.ShouldProcess(path, $"Publish manifest of {manifest.Name.Shortest}"));

    public void BlobFinished(PublishedBlob blob) => _pump.Post(() =>
    {
        _progress.EndBlob(blob.Name, blob.Layer.Digest.ToString());
        forecast?.Keep(blob.Layer);
        ModelBlobDigest done = OutputFactory.From(blob);
        string how = blob.Outcome == PublishOutcome.Mounted ? ", taken from another repository of the registry" : string.Empty;
        _cmdlet.WriteVerbose($"{done.Digest}: {done.Status}{how}, {ByteText.Of(done.BytesSent)} sent, {ByteText.Of(done.BytesResumed)} there from earlier calls, {done.RetryCount} retries, in {done.Elapsed:g}.");
        _cmdlet.WriteObject(done);
    });

    protected override string? SubjectOf(Manifest manifest, ModelFaultException fault) =>
        ModelPublisher.IsOfTarget(fault) ? manifest.Name.Shortest : null;
}
