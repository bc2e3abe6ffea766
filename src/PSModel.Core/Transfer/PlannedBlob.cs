using System.Diagnostics;
using PSModel.Core.Manifests;
using PSModel.Core.Metering;
using PSModel.Core.Names;

namespace PSModel.Core.Transfer;

/// <summary>A blob that a model needs, from the moment when its turn has come.</summary>
internal sealed class PlannedBlob(ModelPlan model, Layer layer)
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly DateTime _begunAt = DateTime.UtcNow;

    public ModelPlan Model => model;

    public Layer Layer => layer;

    public BlobDigest Digest => layer.Digest;

    public ModelName Name => model.Manifest.Name;

    public TransferMeter Meter { get; } = new(layer.Size);

    /// <summary>Whether the file, as it is now, was read and found right.</summary>
    public bool IsReadBack { get; set; }

    /// <summary>Whether there was something in its place before, which this call did not bring.</summary>
    public bool WasThere { get; set; }

    /// <summary>Since its turn came.</summary>
    public TimeSpan Elapsed => _clock.Elapsed;

    /// <summary>A time before which the file was not there, by the clock of this machine; the beginning of all times where that is not
    /// known.</summary>
    /// <param name="outcome">How it came to be there.</param>
    public DateTime NotBefore(BlobOutcome outcome)
    {
        if (outcome != BlobOutcome.Downloaded || Meter.BytesResumed > 0)
        {
            return DateTime.MinValue;
        }

        // Either may be too late: the clock can be set, and the stopwatch stands while the machine sleeps.
        DateTime counted = DateTime.UtcNow - Elapsed;
        return counted < _begunAt ? counted : _begunAt;
    }

    /// <summary>The blob is in the store, as it was before.</summary>
    public BlobOutcome FoundPresent()
    {
        WasThere = true;
        Meter.BytesResumed = layer.Size;
        Meter.Phase = TransferPhase.Completed;
        return BlobOutcome.AlreadyPresent;
    }
}
