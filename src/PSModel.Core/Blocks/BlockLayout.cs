namespace PSModel.Core.Blocks;

/// <summary>
/// How a blob is divided into blocks: at every <see cref="BlockSize"/> bytes, and at each offset where a transfer went on in
/// another process, since the checksum's state cannot be carried over. Immutable.
/// </summary>
internal sealed class BlockLayout
{
    /// <summary>The bytes of a whole block: 20 GB make 320 KB of checksums.</summary>
    public const int BlockSize = 1024 * 1024;

    /// <summary>Divides a blob.</summary>
    /// <param name="size">The blob's size in bytes.</param>
    /// <param name="cuts">The additional offsets, in ascending order.</param>
    public BlockLayout(long size, IReadOnlyList<long> cuts)
    {
        Size = size;
        Cuts = cuts;
        Blocks = Divide();
    }

    /// <summary>The blob's size in bytes.</summary>
    public long Size { get; }

    /// <summary>The additional offsets, in ascending order.</summary>
    public IReadOnlyList<long> Cuts { get; }

    /// <summary>The blocks in the order of the blob. No block reaches over a multiple of <see cref="BlockSize"/>.</summary>
    public IReadOnlyList<Block> Blocks { get; }

    /// <summary>The indices of the blocks that begin within a range which begins with a block.</summary>
    public IEnumerable<int> Within(long start, long end)
    {
        for (int i = IndexAt(start); i < Blocks.Count && Blocks[i].Start < end; i++)
        {
            yield return i;
        }
    }

    /// <summary>The index of the block that has the byte at an offset.</summary>
    public int IndexAt(long offset)
    {
        // Every cut before the offset makes one block more.
        int index = (int)(offset / BlockSize) + Cuts.Count(cut => cut <= offset && cut % BlockSize != 0);
        return Math.Min(index, Blocks.Count);
    }

    private List<Block> Divide()
    {
        List<Block> blocks = [];
        int cut = 0;
        for (long start = 0; start < Size;)
        {
            long end = Math.Min(Size, (start / BlockSize * BlockSize) + BlockSize);
            while (cut < Cuts.Count && Cuts[cut] <= start)
            {
                cut++;
            }

            if (cut < Cuts.Count && Cuts[cut] < end)
            {
                end = Cuts[cut];
            }

            blocks.Add(new Block(start, end));
            start = end;
        }

        return blocks;
    }
}
