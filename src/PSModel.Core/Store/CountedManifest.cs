using PSModel.Core.Names;

namespace PSModel.Core.Store;

/// <summary>A manifest of a store, and what it needs. Immutable.</summary>
/// <param name="Path">Where it lies.</param>
/// <param name="Digest">The digest of its bytes; <see langword="null"/> where they could not be read.</param>
/// <param name="Blobs">The blobs that it names, by way of other manifests as well, each with its media type.</param>
/// <param name="Unreadable">The file that could not be read, itself or one among the blobs that it leads to;
/// <see langword="null"/> where there is none.</param>
/// <param name="Why">Why it could not.</param>
internal sealed record CountedManifest(string Path, BlobDigest? Digest, IReadOnlyDictionary<BlobDigest, string> Blobs, string? Unreadable, string? Why);
