using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Metering;
using PSModel.Core.Names;
using PSModel.Core.Store;

namespace PSModel.Core.Commit;

/// <summary>A blob whose bytes all lie in its file, as the operating system says.</summary>
/// <param name="Layer">What the manifest says of it.</param>
/// <param name="Name">The model for which it is fetched.</param>
/// <param name="File">Its file, open.</param>
/// <param name="Actual">The digest of the bytes that were written.</param>
/// <param name="Meter">Told of the phases.</param>
/// <param name="DeleteTraces">Removes what only a later call would need.</param>
internal sealed record FinishedBlob(Layer Layer, ModelName Name, ICommitFile File, BlobDigest Actual, TransferMeter Meter, Action DeleteTraces)
{
    /// <summary>Done between the last check and the rename: what belongs beside the blob.</summary>
    public Action? BeforeRename { get; init; }

    /// <summary>Done where right bytes arrived and the blob cannot be committed: makes a later call go on from the whole of it.</summary>
    public Action? Keep { get; init; }

    /// <summary>Keeps it, so that a later call goes on from the whole of it. A failure to do so must not hide the one that led here.</summary>
    /// <param name="tell">Told of a failure.</param>
    public void TryKeep(Action<string> tell)
    {
        try
        {
            Keep?.Invoke();
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            tell($"What arrived of {Layer.Digest} could not be kept: {e.Message}");
        }
    }

    /// <summary>Makes the fault of a digest that is not the blob's.</summary>
    public ModelFaultException Mismatch(ModelFault fault, string path, BlobDigest? actual, string message) => new(
        fault,
        message,
        new FaultFacts
        {
            Name = Name.Shortest,
            Digest = Layer.Digest.ToString(),
            ActualDigest = actual?.ToString(),
            Path = path,
            ExpectedSize = Layer.Size,
        });
}
