using PSModel.Core.Names;

namespace PSModel.Core.Removal;

/// <summary>A file that is removed, or is about to be. Immutable.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Path">Where it lies.</param>
/// <param name="Size">Its length in bytes; that of a link is 0.</param>
/// <param name="Name">The model; <see langword="null"/> where it is of no model.</param>
/// <param name="Digest">The blob; <see langword="null"/> where it is of no blob.</param>
/// <param name="MediaType">The media type by which a manifest named the blob; <see langword="null"/> where none did.</param>
public sealed record RemovedFile(RemovedKind Kind, string Path, long Size, ModelName? Name = null, BlobDigest? Digest = null, string? MediaType = null);
