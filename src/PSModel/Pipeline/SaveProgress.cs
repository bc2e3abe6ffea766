using System.Management.Automation;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Transfer;

namespace PSModel.Pipeline;

/// <summary>
/// Shows a model being saved: a bar for the model and one below it for the blob. It reads the transfer's counter on the
/// pipeline thread and costs the transfer nothing. For the pipeline thread alone.
/// </summary>
internal sealed class SaveProgress(Cmdlet cmdlet, bool isInPipeline)
{
    private const int ModelActivity = 1;
    private const int BlobActivity = 2;

    private Manifest? _manifest;
    private Layer? _layer;
    private TransferMeter? _meter;
    private SpeedGauge _gauge = new();
    private SpeedGauge _modelGauge = new();
    private long _done;
    private long _total;

    /// <summary>A model's turn has come.</summary>
    /// <param name="manifest">The model.</param>
    /// <param name="only">The blobs that are wanted of it; none for all.</param>
    public void BeginModel(Manifest manifest, ICollection<BlobDigest> only)
    {
        _manifest = manifest;
        _total = manifest.Blobs.Where(layer => only.Count == 0 || only.Contains(layer.Digest)).Sum(layer => layer.Size);
        _done = 0;
        _modelGauge = new SpeedGauge();
    }

    public void BeginBlob(Layer layer, TransferMeter meter)
    {
        _layer = layer;
        _meter = meter;
        _gauge = new SpeedGauge();
    }

    /// <summary>The blob is done, or given up.</summary>
    public void EndBlob()
    {
        Show();
        _done += _layer?.Size ?? 0;
        _layer = null;
        _meter = null;
    }

    public void EndModel()
    {
        if (_manifest is not null)
        {
            cmdlet.WriteProgress(new ProgressRecord(BlobActivity, "Blob", "Done") { RecordType = ProgressRecordType.Completed });
            cmdlet.WriteProgress(new ProgressRecord(ModelActivity, Activity, "Done") { RecordType = ProgressRecordType.Completed });
            _manifest = null;
        }
    }

    /// <summary>Shows how things stand.</summary>
    public void Show()
    {
        if (_manifest is null || _layer is null || _meter is null)
        {
            return;
        }

        long here = _meter.BytesTransferred;
        long fetched = here - _meter.BytesResumed;
        _gauge.Note(_meter.Phase == TransferPhase.Verifying ? _meter.BytesVerified : fetched);
        _modelGauge.Note(_done + fetched);
        if (isInPipeline)
        {
            cmdlet.WriteObject(Snapshot());
        }

        string speed = $"{ByteText.Of(_modelGauge.BytesPerSecond)}/s";
        Write(ModelActivity, -1, Activity, $"{ByteText.Of(_done + here)} of {ByteText.Of(_total)}, {speed}", _done + here, _total, _modelGauge.TimeFor(_total - _done - here));
        Write(BlobActivity, ModelActivity, $"{_layer.Kind} {_layer.Digest.ToString().Substring(0, 19)}", BlobStatus(here), BlobBytes(here), _layer.Size, _gauge.TimeFor(_layer.Size - BlobBytes(here)));
    }

    private string Activity => $"Saving {_manifest!.Name.Shortest}";

    private long BlobBytes(long here) => _meter!.Phase == TransferPhase.Verifying ? _meter.BytesVerified : here;

    private string BlobStatus(long here) => _meter!.Phase == TransferPhase.Downloading
        ? $"{ByteText.Of(here)} of {ByteText.Of(_layer!.Size)}, {_meter.Connections} connection{(_meter.Connections == 1 ? string.Empty : "s")}"
        : _meter.Phase.ToString();

    private void Write(int activity, int parent, string title, string status, long bytes, long total, TimeSpan? left) =>
        cmdlet.WriteProgress(new ProgressRecord(activity, title, status)
        {
            ParentActivityId = parent,
            PercentComplete = Percent(bytes, total),
            SecondsRemaining = left is { } time ? (int)time.TotalSeconds : -1,
        });

    private ModelBlobProgress Snapshot() => new()
    {
        Name = _manifest!.Name.Shortest,
        Digest = _layer!.Digest.ToString(),
        MediaType = _layer.MediaType,
        Phase = _meter!.Phase.ToString(),
        BytesTransferred = _meter.BytesTransferred,
        TotalBytes = _layer.Size,
        PercentComplete = Percent(_meter.BytesTransferred, _layer.Size),
        BytesPerSecond = _gauge.BytesPerSecond,
        EstimatedTimeRemaining = _gauge.TimeFor(_layer.Size - BlobBytes(_meter.BytesTransferred)),
        Connections = _meter.Connections,
        Timestamp = DateTime.UtcNow,
    };

    private static int Percent(long bytes, long total) => total == 0 ? 100 : (int)Math.Min(100, 100.0 * bytes / total);
}
