using System.Collections.Concurrent;
using PSModel.Campaign.Checking;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Metering;
using PSModel.Core.Names;
using PSModel.Core.Transfer;

namespace PSModel.Campaign.Calls;

/// <summary>Watches a call, and checks what it is told. Thread-safe.</summary>
internal sealed class CampaignObserver(Checker checker) : ISaveObserver
{
    private readonly ConcurrentDictionary<TransferMeter, long> _progress = new();
    private readonly ConcurrentQueue<ModelFaultException> _faults = new();
    private readonly ConcurrentDictionary<string, int> _ended = new();

    public Action<string>? BlobSaved { get; init; }

    public Action<string>? ModelSaved { get; init; }

    public IReadOnlyList<ModelFaultException> Faults => [.. _faults];

    public string Progress => string.Join(", ", _progress.Keys.Select(meter => $"{meter.Phase} {meter.BytesTransferred}/{meter.TotalBytes}"));

    public Task<bool> ConfirmBlobAsync(Manifest manifest, Layer layer) => Task.FromResult(true);

    public Task<bool> ConfirmManifestAsync(Manifest manifest, string path) => Task.FromResult(true);

    public void ModelRequested(string target)
    {
    }

    public void ModelStarted(string target, Manifest manifest)
    {
    }

    public void ModelEnded(string target, ModelFaultException? fault)
    {
        if (fault is null && _faults.IsEmpty)
        {
            ModelSaved?.Invoke(target);
        }

        _ended.AddOrUpdate(target, 1, (_, count) => count + 1);
        Note(fault);
    }

    public void BlobStarted(Manifest manifest, Layer layer, TransferMeter meter) => _progress.TryAdd(meter, 0);

    public void BlobFinished(SavedBlob blob)
    {
        BlobSaved?.Invoke(blob.Layer.Digest.ToString());
        FileInfo file = new(blob.Path);
        checker.That(file.Exists && file.Length == blob.Layer.Size, "what is told is there", () => $"{blob.Outcome} {blob.Path}, and {(file.Exists ? file.Length : "no")} bytes are there");
    }

    public void BlobFailed(string target, Manifest manifest, string digest, TransferMeter? meter, ModelFaultException fault) => Note(fault);

    public void Warn(string message) => Tell(message);

    public void Tell(string message) => TextCheck.Look(checker, "a message", message);

    public void Trace(string message) => TextCheck.Look(checker, "a trace", message);

    /// <summary>Progress never goes back, nor beyond the blob.</summary>
    public void LookAtProgress()
    {
        foreach ((TransferMeter meter, long before) in _progress)
        {
            long now = meter.BytesTransferred;
            checker.That(now >= before && now <= meter.TotalBytes, "progress never back", () => $"{before}, then {now} of {meter.TotalBytes}");
            _progress[meter] = now;
        }
    }

    /// <summary>Each model has ended once, unless the call was ended before.</summary>
    public void LookAtEnd(bool isEndedEarly, IReadOnlyList<string> names)
    {
        foreach (IGrouping<string, string> name in names.GroupBy(each => each))
        {
            int ended = _ended.GetValueOrDefault(name.Key);
            checker.That(ended == name.Count() || (isEndedEarly && ended < name.Count()), "each model ends once", () => $"{name.Key} ended {ended} times");
        }
    }

    private void Note(ModelFaultException? fault)
    {
        if (fault is not null)
        {
            _faults.Enqueue(fault);
            checker.Report.CountFault($"→{fault.Fault}");
            TextCheck.Look(checker, $"the fault {fault.Fault}", fault.Message);
            TextCheck.Look(checker, $"the address of {fault.Fault}", fault.Facts.Uri ?? string.Empty);
        }
    }
}
