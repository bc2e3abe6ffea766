using System.IO.Hashing;

namespace PSModel.Core.Blocks;

/// <summary>
/// Makes a block map of bytes as they pass. <see cref="Append"/> and <see cref="Mark"/> are for one thread at a time;
/// <see cref="Finished"/> may be called beside them.
/// </summary>
internal sealed class BlockMapBuilder
{
    private readonly object _gate = new();
    private readonly List<BlockChecksum> _checksums = [];
    private readonly List<long> _cuts = [];
    private readonly XxHash128 _block = new();
    private readonly XxHash128 _check = new();

    private long _start;
    private long _position;

    /// <summary>Goes on from a mark.</summary>
    /// <param name="mark">Where the map stood.</param>
    /// <param name="checksums">The bytes of the finished checksums.</param>
    /// <param name="offset">The bytes that the mark covers.</param>
    /// <returns><see langword="null"/> where the parts do not fit one another.</returns>
    public static BlockMapBuilder? TryRestore(BlockMark mark, byte[] checksums, long offset)
    {
        BlockMapBuilder builder = new();
        foreach (BlockChecksum checksum in BlockChecksum.ReadAll(checksums))
        {
            builder.Add(checksum);
        }

        // A block that the mark finds unfinished ends here: the state of its checksum is not to be had.
        builder._cuts.AddRange(mark.Cuts);
        bool isRight = checksums.Length == (long)mark.Count * BlockChecksum.Size && builder._check.GetCurrentHash().AsSpan().SequenceEqual(mark.Check);
        if (mark.Tail.Length == BlockChecksum.Size)
        {
            builder.Add(BlockChecksum.Read(mark.Tail));
            builder._cuts.Add(offset);
        }

        builder._start = builder._position = offset;
        return isRight && BlockLayout.CanBe(offset, builder._cuts, builder._checksums.Count) && new BlockLayout(offset, builder._cuts).Blocks.Count == builder._checksums.Count ? builder : null;
    }

    /// <summary>Takes the bytes in.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            long end = (_position / BlockLayout.BlockSize * BlockLayout.BlockSize) + BlockLayout.BlockSize;
            int length = (int)Math.Min(bytes.Length, end - _position);
            _block.Append(bytes.Slice(0, length));
            _position += length;
            bytes = bytes.Slice(length);
            if (_position == end)
            {
                FinishBlock();
            }
        }
    }

    /// <summary>How far the map has come.</summary>
    public BlockMark Mark()
    {
        byte[] tail = _position > _start ? _block.GetCurrentHash() : [];
        lock (_gate)
        {
            return new BlockMark(_checksums.Count, [.. _cuts], tail, _check.GetCurrentHash());
        }
    }

    /// <summary>The bytes of some of the finished checksums.</summary>
    public byte[] Finished(int start, int end)
    {
        lock (_gate)
        {
            return BlockChecksum.WriteAll(_checksums, start, end);
        }
    }

    /// <summary>The map of everything that was taken in; nothing may be taken in afterwards.</summary>
    public BlockMap Finish()
    {
        if (_position > _start)
        {
            FinishBlock();
        }

        return new BlockMap(new BlockLayout(_position, _cuts), _checksums);
    }

    private void FinishBlock()
    {
        Add(BlockChecksum.Read(_block.GetHashAndReset()));
        _start = _position;
    }

    private void Add(BlockChecksum checksum)
    {
        Span<byte> bytes = stackalloc byte[BlockChecksum.Size];
        checksum.Write(bytes);
        lock (_gate)
        {
            _checksums.Add(checksum);
            _check.Append(bytes);
        }
    }
}
