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

    /// <summary>Whether a blob can be divided so into that many blocks, as far as that shows without dividing it: what a file says
    /// may be anything.</summary>
    public static bool CanBe(long size, IReadOnlyList<long> cuts, int blocks)
    {
        long before = 0;
        foreach (long cut in cuts)
        {
            if (cut <= before || cut > size)
            {
                return false;
            }

            before = cut;
        }

        return size >= 0 && size / BlockSize <= blocks && cuts.Count <= blocks;
    }

    /// <summary>Parts numbers of blocks, in ascending order, into runs of neighbours.</summary>
    public static IEnumerable<IReadOnlyList<int>> RunsOf(IEnumerable<int> indices)
    {
        List<int> run = [];
        foreach (int index in indices)
        {
            if (run.Count > 0 && index != run[run.Count - 1] + 1)
            {
                yield return run;
                run = [];
            }

            run.Add(index);
        }

        if (run.Count > 0)
        {
            yield return run;
        }
    }

    /// <summary>Splits bytes of the blob into blocks; the last one may be cut short by the end of the bytes.</summary>
    /// <param name="offset">Where the bytes begin, which is where a block does.</param>
    /// <param name="bytes">The bytes; those past the end of the blob are left out.</param>
    /// <param name="use">Given each block.</param>
    public void Split(long offset, ReadOnlySpan<byte> bytes, BlockConsumer use)
    {
        for (int i = IndexAt(offset); i < Blocks.Count && Blocks[i].Start < offset + bytes.Length; i++)
        {
            int start = (int)(Blocks[i].Start - offset);
            ReadOnlySpan<byte> content = bytes.Slice(start, Math.Min(Blocks[i].Length, bytes.Length - start));
            use(i, BlockChecksum.Of(content), content);
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
