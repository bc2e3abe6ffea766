namespace PSModel.Core.Blocks;

/// <summary>A range of a blob that has a checksum of its own; offsets in bytes.</summary>
/// <param name="Start">The offset of its first byte.</param>
/// <param name="End">The offset past its last byte.</param>
internal readonly record struct Block(long Start, long End)
{
    /// <summary>How many bytes it has, at most <see cref="BlockLayout.BlockSize"/>.</summary>
    public int Length => (int)(End - Start);
}
