using PSModel.Core.Names;

namespace PSModel.Core.Removal;

/// <summary>What would be removed if leave is given: a model with its blobs, a blob, or unfinished work. Immutable.</summary>
/// <param name="Name">The model; <see langword="null"/> for what is of no model.</param>
/// <param name="Digest">The blob, or the one that was being fetched; <see langword="null"/> for a model.</param>
/// <param name="Files">The files. Another program may need one of them meanwhile; then it stays.</param>
/// <param name="Shared">How many of the model's blobs stay, since other models need them.</param>
public sealed record RemovalStep(ModelName? Name, BlobDigest? Digest, IReadOnlyList<RemovedFile> Files, int Shared)
{
    /// <summary>The sizes of all files together, in bytes.</summary>
    public long Bytes => Files.Sum(file => file.Size);
}
