using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Store;

namespace PSModel.Core.Publishing;

/// <summary>A blob of a model of a store, and the faults that its file may have. Immutable.</summary>
/// <param name="Store">The store.</param>
/// <param name="Manifest">The model.</param>
/// <param name="Layer">The blob.</param>
internal sealed record StoredBlob(ModelStore Store, Manifest Manifest, Layer Layer)
{
    /// <summary>Its file.</summary>
    public string Path => Store.BlobPath(Layer.Digest);

    private string Repair => $"\"{SaveCommand.For(Store, Manifest, "-Repair")}\" fetches what is wrong with it";

    private string Diagnose => $"\"Test-ModelBlob {Manifest.Name.Shortest} -StorePath {SaveCommand.Quote(Store.Root)} -Digest {Layer.Digest} -Diagnose\" finds out what is wrong here";

    /// <summary>Sees that there is a file of the right size.</summary>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.BlobNotFound"/>, <see cref="ModelFault.SizeMismatch"/>, or
    /// <see cref="ModelFault.BlobUnreadable"/> where something else stands there.</exception>
    public void Require()
    {
        switch (FileFacts.TryRead(Path))
        {
            case null:
                throw new ModelFaultException(
                    ModelFault.BlobNotFound,
                    $"The store '{Store.Root}' has {Manifest.Name.Shortest}, and not its blob {Layer.Digest}.",
                    Facts($"\"{SaveCommand.For(Store, Manifest)}\" fetches it."));
            case { IsFile: false }:
                throw new ModelFaultException(ModelFault.BlobUnreadable, $"What lies at '{Path}' is no file.", Facts($"{Repair}."));
            case { Size: var size } when size != Layer.Size:
                throw OtherSize(size);
        }
    }

    /// <summary>The fault of a file that is longer or shorter than the manifest says.</summary>
    public ModelFaultException OtherSize(long size)
    {
        FaultFacts facts = Facts($"{Repair}.");
        facts.ExpectedSize = Layer.Size;
        facts.ActualSize = size;
        return new ModelFaultException(ModelFault.SizeMismatch, $"'{Path}' has {ByteText.Exact(size)}, and the manifest of {Manifest.Name.Shortest} names {ByteText.Exact(Layer.Size)}. It is not published.", facts);
    }

    /// <summary>The fault of a file whose bytes are not those of the digest.</summary>
    public ModelFaultException Damaged(BlobDigest actual)
    {
        FaultFacts facts = Facts($"{Diagnose}; {Repair}.");
        facts.ActualDigest = actual.ToString();
        return new ModelFaultException(ModelFault.DigestMismatch, $"What was read from '{Path}' has the digest {actual}, and should have {Layer.Digest}. It is not published, nor is the manifest of {Manifest.Name.Shortest}.", facts);
    }

    /// <summary>The fault of a file that cannot be read.</summary>
    public ModelFaultException Unreadable(Exception e) => HeldFile.IsReason(e)
        ? HeldFile.Fault($"'{Path}' is not published since it", e, Facts(remedy: null))
        : new(ModelFault.BlobUnreadable, $"'{Path}' cannot be read: {e.Message} It is not published.", Facts($"{Diagnose}; {Repair}."), e);

    private FaultFacts Facts(string? remedy) => new() { Name = Manifest.Name.Shortest, Digest = Layer.Digest.ToString(), Path = Path, Remedy = remedy };
}
