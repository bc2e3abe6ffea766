namespace PSModel.Core.Blocks;

/// <summary>How far a block map has come at a checkpoint. Immutable.</summary>
/// <param name="Count">The blocks that are finished; their checksums lie in a file of their own.</param>
/// <param name="Cuts">The offsets at which the transfer went on in another process.</param>
/// <param name="Tail">The checksum of the block underway; empty where none is.</param>
/// <param name="Check">The checksum of the finished blocks' checksums.</param>
internal sealed record BlockMark(int Count, long[] Cuts, byte[] Tail, byte[] Check);
