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

    /// <summary>Whether the file begins as an error page does.</summary>
    public bool BeginsWithMarkup { get; private set; }

    /// <summary>Finds the damaged ranges in the order of the blob.</summary>
    public IReadOnlyList<DamagedRange> Find(CancellationToken cancellationToken)
    {
        List<DamagedRange> ranges = [];
        byte[] first = layout.Blocks.Count > 0 && !comparison.IsAllRight && !comparison.IsUnreadable(0) ? ReadFirst() : [];
        BeginsWithMarkup = MarkupText.LengthAt(first, 0, first.Length) > 0;
        byte[] start = comparison.Damaged.Contains(0) ? [] : first;
        int reread = 0;
        foreach (int index in comparison.Unstable)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ranges.AddRange(reread++ < MostReread ? LookAtUnstable(index, start) : [Whole(index, DamagePattern.Other)]);
        }

        ranges.AddRange(LookAtDamaged(start, cancellationToken));
        return Merge(ranges);
    }

    private byte[] ReadFirst()
    {
        using ReadBuffer buffer = new();
        return FindRight(0, []) ?? TryRead(layout.Blocks[0], modes[0], buffer) ?? [];
    }

    /// <summary>Looks at the blocks that are wrong in every read, one run of neighbours after the other.</summary>
    private List<DamagedRange> LookAtDamaged(byte[] start, CancellationToken cancellationToken)
    {
        List<DamagedRange> ranges = [];
        if (comparison.Damaged.Count == 0)
        {
            return ranges;
        }

        using BlobFile file = BlobFile.Open(path, modes[0]);
        using DamageScanner scanner = new(file, start);
        foreach (IReadOnlyList<int> run in BlockLayout.RunsOf(comparison.Damaged))
        {
            scanner.BeginRun(layout.Blocks[run[0]].Start, layout.Blocks[run[run.Count - 1]].End);
            foreach (int index in run)
            {
                cancellationToken.ThrowIfCancellationRequested();
                ranges.AddRange(comparison.IsUnreadable(index) ? [Whole(index, DamagePattern.Unreadable)] : scanner.Scan(layout.Blocks[index]));
            }
        }

        return ranges;
    }

    private List<DamagedRange> LookAtUnstable(int index, byte[] start)
    {
        if (comparison.IsUnreadable(index))
        {
            return [Whole(index, DamagePattern.Unreadable)];
        }

        List<byte[]> wrong = [.. copies.Of(index)];
        byte[]? right = FindRight(index, wrong);
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
            byte[] bytes = file.ReadRange(block.Start, block.Length, buffer);
            return bytes.Length == block.Length ? bytes : null;
        }
        catch (Exception e) when (e is IOException or ModelFaultException)
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
