using System.Management.Automation;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Metering;
using PSModel.Core.Names;

namespace PSModel.Pipeline;

/// <summary>
/// Shows models being brought somewhere: a bar for all of them and one below it for the first blob underway. It reads the transfers'
/// counters on the pipeline thread and costs them nothing. For the pipeline thread alone.
/// </summary>
internal sealed class TransferProgress
{
    private readonly Cmdlet _cmdlet;
    private readonly bool _isInPipeline;
    private readonly ProgressBar _all;
    private readonly ProgressBar _first;
    private readonly List<BlobProgress> _blobs = [];
    private readonly List<string> _lookedUp = [];
    private readonly SpeedGauge _gauge = new();
    private readonly string _verb;
    private string _title;
    private long _total;
    private long _done;
    private long _brought;

    /// <param name="cmdlet">Whose it is.</param>
    /// <param name="verb">What is done to the models, <c>Saving</c> for instance.</param>
    /// <param name="isInPipeline">Put snapshots into the pipeline, too.</param>
    public TransferProgress(Cmdlet cmdlet, string verb, bool isInPipeline)
    {
        _cmdlet = cmdlet;
        _verb = verb;
        _title = verb;
        _isInPipeline = isInPipeline;
        _all = new ProgressBar(cmdlet);
        _first = new ProgressBar(cmdlet, _all);
    }

    /// <summary>A model's manifest is being looked up.</summary>
    public void BeginLookUp(string target) => _lookedUp.Add(target);

    /// <summary>A model's manifest is there.</summary>
    /// <param name="manifest">The manifest.</param>
    /// <param name="only">The blobs that are wanted of it; none for all.</param>
    public void BeginModel(Manifest manifest, ICollection<BlobDigestPart> only)
    {
        _lookedUp.Clear();
        _title = $"{_verb} {manifest.Name.Shortest}";
        _total += manifest.Blobs.Where(layer => only.Count == 0 || only.Any(digest => digest.IsOf(layer.Digest))).Sum(layer => layer.Size);
    }

    public void BeginBlob(ModelName name, Layer layer, TransferMeter meter) => _blobs.Add(new BlobProgress(name, layer, meter));

    /// <summary>The blob is done, or given up.</summary>
    public void EndBlob(ModelName name, string digest)
    {
        if (_blobs.Find(blob => blob.Name.Equals(name) && blob.Layer.Digest.ToString() == digest) is { } blob)
        {
            // The bar of a short call would never be seen, and a bar for each of a thousand blobs would only flicker.
            if (_all.IsShown)
            {
                Snapshot(blob);
            }
            else
            {
                Show();
            }

            _blobs.Remove(blob);
            _done += blob.Layer.Size;
            _brought += blob.Brought;
        }
    }

    /// <summary>Nothing more will be done for a model.</summary>
    public void EndModel(string target) => _lookedUp.Remove(target);

    /// <summary>Nothing more will be done at all.</summary>
    public void End()
    {
        _first.Remove();
        _all.Remove();
    }

    /// <summary>Shows how things stand.</summary>
    public void Show()
    {
        _blobs.ForEach(Snapshot);
        if (_blobs.Count == 0)
        {
            _first.Remove();
            if (_lookedUp.Count > 0)
            {
                _all.Show($"{_verb} {_lookedUp[0]}", "Looking up the manifest");
            }

            return;
        }

        long here = _done + _blobs.Sum(blob => blob.Here);
        _gauge.Note(_brought + _blobs.Sum(blob => blob.Brought));
        _all.Show(_title, $"{ByteText.Of(here)} of {ByteText.Of(_total)}, {ByteText.Of(_gauge.BytesPerSecond)}/s", here, _total, _gauge.TimeFor(_total - here));
        BlobProgress first = _blobs[0];
        string others = _blobs.Count == 1 ? string.Empty : $"; {_blobs.Count - 1} more underway";
        _first.Show(first.Title, first.Status + others, first.Bytes, first.Layer.Size, first.Left);
    }

    private void Snapshot(BlobProgress blob)
    {
        blob.Look();
        if (_isInPipeline)
        {
            _cmdlet.WriteObject(blob.Snapshot());
        }
    }
}
