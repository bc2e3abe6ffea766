namespace PSModel.Core.Blocks;

/// <summary>The checksum of every block of a blob, taken from the bytes whose SHA-256 was right. Immutable.</summary>
internal sealed class BlockMap
{
    /// <param name="layout">The blocks.</param>
    /// <param name="checksums">One for each of them.</param>
    public BlockMap(BlockLayout layout, IReadOnlyList<BlockChecksum> checksums)
    {
        if (checksums.Count != layout.Blocks.Count)
        {
            throw new FormatException("it has another number of checksums than of blocks");
        }

        Layout = layout;
        Checksums = checksums;
    }

    /// <summary>The blocks.</summary>
    public BlockLayout Layout { get; }

    /// <summary>One for each block.</summary>
    public IReadOnlyList<BlockChecksum> Checksums { get; }
}
