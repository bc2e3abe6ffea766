using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Metering;
using PSModel.Core.Transfer;

namespace PSModel.FrameworkHost;

/// <summary>Allows everything, and prints what came of it.</summary>
internal sealed class Observer : ISaveObserver
{
    private int _failures;

    public int Failures => Volatile.Read(ref _failures);

    public Task<bool> ConfirmBlobAsync(Manifest manifest, Layer layer) => Task.FromResult(true);

    public Task<bool> ConfirmManifestAsync(Manifest manifest, string path) => Task.FromResult(true);

    public void ModelRequested(string target)
    {
    }

    public void ModelStarted(string target, Manifest manifest)
    {
    }

    public void ModelEnded(string target, ModelFaultException? fault) => Note($"ended {target}", fault);

    public void BlobStarted(Manifest manifest, Layer layer, TransferMeter meter)
    {
    }

    public void BlobFinished(SavedBlob blob) => Console.WriteLine($"saved {blob.Layer.Digest}");

    public void BlobFailed(string target, Manifest manifest, string digest, TransferMeter? meter, ModelFaultException fault) => Note($"failed {digest}", fault);

    public void Warn(string message) => Tell(message);

    public void Tell(string message)
    {
    }

    private void Note(string what, ModelFaultException? fault)
    {
        Console.WriteLine($"{what} {fault}");
        if (fault is not null)
        {
            Interlocked.Increment(ref _failures);
        }
    }
}
