using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Metering;
using PSModel.Core.Names;

namespace PSModel.Pipeline;

/// <summary>How far one blob has come. For the pipeline thread alone.</summary>
internal sealed class BlobProgress(ModelName name, Layer layer, TransferMeter meter)
{
    private readonly SpeedGauge _gauge = new();

    public ModelName Name => name;

    public Layer Layer => layer;

    /// <summary>The bytes that are where they are to be, those of earlier calls included.</summary>
    public long Here => meter.BytesTransferred;

    /// <summary>The bytes that this call has brought.</summary>
    public long Brought => Here - meter.BytesResumed;

    public string Title => $"{layer.Kind} {layer.Digest.ToString().Substring(0, 19)}";

    /// <summary>The bytes of the step underway.</summary>
    public long Bytes => meter.Phase == TransferPhase.Verifying ? meter.BytesVerified : Here;

    public TimeSpan? Left => _gauge.TimeFor(layer.Size - Bytes);

    public string Status
    {
        get
        {
            double wait = (meter.ServerWaitEnd - DateTime.UtcNow).TotalSeconds;
            return meter.IsWaitingForOther ? "Another process is fetching it; waiting for that"
                : meter.Phase is not (TransferPhase.Downloading or TransferPhase.Uploading) ? meter.Phase.ToString()
                : wait > 0 && meter.Connections == 0 ? $"The registry asks to be left alone for {wait:0} seconds more"
                : $"{ByteText.Of(Here)} of {ByteText.Of(layer.Size)}, {meter.Connections} connection{(meter.Connections == 1 ? string.Empty : "s")}";
        }
    }

    /// <summary>Looks at the counter.</summary>
    public void Look() => _gauge.Note(meter.Phase == TransferPhase.Verifying ? meter.BytesVerified : Brought);

    public ModelBlobProgress Snapshot() => new()
    {
        Name = name.Shortest,
        Digest = layer.Digest.ToString(),
        MediaType = layer.MediaType,
        Phase = meter.Phase.ToString(),
        BytesTransferred = Here,
        TotalBytes = layer.Size,
        PercentComplete = ProgressBar.Percent(Here, layer.Size),
        BytesPerSecond = _gauge.BytesPerSecond,
        EstimatedTimeRemaining = Left,
        Connections = meter.Connections,
        Timestamp = DateTime.UtcNow,
    };
}
