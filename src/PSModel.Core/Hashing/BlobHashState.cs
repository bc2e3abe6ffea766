using PSModel.Core.Blocks;

namespace PSModel.Core.Hashing;

/// <summary>The state of a <see cref="BlobHash"/>. Immutable.</summary>
/// <param name="Sha">What <see cref="Sha256.Export"/> gives.</param>
/// <param name="Blocks">How far the block map has come; <see langword="null"/> where there is none.</param>
internal sealed record BlobHashState(byte[] Sha, BlockMark? Blocks);
