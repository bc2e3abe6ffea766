using PSModel.Core.Names;

namespace PSModel.Core.Removal;

/// <summary>A blob that may be of no use any more. Immutable.</summary>
/// <param name="Digest">The blob.</param>
/// <param name="MediaType">By which a manifest named it; <see langword="null"/> where none did.</param>
/// <param name="Name">The model that it was of; <see langword="null"/> for none.</param>
internal sealed record BlobCandidate(BlobDigest Digest, string? MediaType, ModelName? Name);
