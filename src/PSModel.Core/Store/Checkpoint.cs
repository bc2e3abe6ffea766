using PSModel.Core.Hashing;

namespace PSModel.Core.Store;

/// <summary>How far a blob has come: enough to go on in another process without reading a byte. Immutable.</summary>
/// <param name="Size">The blob's size in bytes, as the manifest names it.</param>
/// <param name="Offset">The bytes that are on the disk and in <paramref name="State"/>.</param>
/// <param name="State">The exported state of the hash after that many bytes.</param>
/// <param name="Validator">The ETag of the source that sent them, if it gave one.</param>
internal sealed record Checkpoint(long Size, long Offset, BlobHashState State, string? Validator);
