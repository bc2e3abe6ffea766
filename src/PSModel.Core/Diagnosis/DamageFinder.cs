using PSModel.Core.Blocks;
using PSModel.Core.Faults;
using PSModel.Core.Reading;

namespace PSModel.Core.Diagnosis;

/// <summary>Looks at the damaged blocks of a file byte by byte. For one run.</summary>
internal sealed class DamageFinder(string path, BlockLayout layout, ReadComparison comparison, BlockCopies copies, IReadOnlyList<ReadMode> modes)
{
    /// <summary>So many blocks that differ between reads are read again; what is true of them is true of more.</summary>
    private const int MostReread = 256;

    /// <summary>A block is read again so often in each mode, to find its right bytes.</summary>
    private const int Rereads = 3;

    private readonly HashSet<int> _damaged = [.. comparison.Damaged];

    /// <summary>Finds the damaged ranges in the order of the blob.</summary>
    public IReadOnlyList<DamagedRange> Find(CancellationToken cancellationToken)
    {
        List<DamagedRange> ranges = [];
        if (comparison.Unstable.Count + comparison.Damaged.Count == 0)
        {
            return ranges;
        }

        byte[] start = layout.Blocks.Count > 0 && !_damaged.Contains(0) ? FindRight(0, []) ?? [] : [];
        int reread = 0;
        foreach (int index in comparison.Unstable)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ranges.AddRange(reread++ < MostReread ? LookAtUnstable(index, start) : [Whole(index, DamagePattern.Other)]);
        }

        using BlobFile file = BlobFile.Open(path, modes[0]);
        using DamageScanner scanner = new(file, start);
        foreach (int index in comparison.Damaged)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ranges.AddRange(comparison.IsUnreadable(index) ? [Whole(index, DamagePattern.Unreadable)] : scanner.Scan(layout.Blocks[index], NextRight(index)));
        }

        return Merge(ranges);
    }

    /// <summary>The first byte after a damaged block that belongs to a right one.</summary>
    private long NextRight(int index)
    {
        while (_damaged.Contains(index + 1))
        {
            index++;
        }

        return layout.Blocks[index].End;
    }

    private List<DamagedRange> LookAtUnstable(int index, byte[] start)
    {
        List<byte[]> wrong = [.. copies.Of(index)];
        byte[]? right = FindRight(index, wrong);
        if (comparison.IsUnreadable(index))
        {
            return [Whole(index, DamagePattern.Unreadable)];
        }

        List<DamagedRange> found = right is null ? [] : [.. wrong.SelectMany(copy => DamageComparer.Compare(layout.Blocks[index].Start, right, copy, start))];
        return found.Count > 0 ? found : [Whole(index, DamagePattern.Other)];
    }

    /// <summary>Reads a block until its bytes are right, or those of most reads; others are added to <paramref name="wrong"/>.</summary>
    private byte[]? FindRight(int index, List<byte[]> wrong)
    {
        byte[]? right = null;
        using ReadBuffer buffer = new();
        for (int attempt = 0; attempt < Rereads * modes.Count; attempt++)
        {
            if (TryRead(layout.Blocks[index], modes[attempt % modes.Count], buffer) is not { } bytes)
            {
                continue;
            }

            if (BlockChecksum.Of(bytes) == comparison.Best(index))
            {
                right = bytes;
            }
            else
            {
                wrong.Add(bytes);
            }
        }

        return right;
    }

    private byte[]? TryRead(Block block, ReadMode mode, ReadBuffer buffer)
    {
        try
        {
            using BlobFile file = BlobFile.Open(path, mode);
            long unit = block.Start / ReadBuffer.UnitSize * ReadBuffer.UnitSize;
            file.Read(unit, buffer);
            return buffer.Content.Slice((int)(block.Start - unit), block.Length).ToArray();
        }
        catch (Exception e) when (e is IOException or ModelFaultException or ArgumentOutOfRangeException)
        {
            return null;
        }
    }

    private DamagedRange Whole(int index, DamagePattern pattern) => new(layout.Blocks[index].Start, layout.Blocks[index].Length, pattern);

    /// <summary>Ranges of one pattern that touch are one.</summary>
    private static List<DamagedRange> Merge(List<DamagedRange> ranges)
    {
        List<DamagedRange> merged = [];
        foreach (DamagedRange range in ranges.OrderBy(range => range.Offset).ThenBy(range => range.Pattern))
        {
            DamagedRange? last = merged.Count > 0 ? merged[merged.Count - 1] : null;
            if (last is null || last.Pattern != range.Pattern || last.Offset + last.Length < range.Offset)
            {
                merged.Add(range);
            }
            else
            {
                long end = Math.Max(last.Offset + last.Length, range.Offset + range.Length);
                merged[merged.Count - 1] = new DamagedRange(last.Offset, end - last.Offset, last.Pattern);
            }
        }

        return merged;
    }
}
