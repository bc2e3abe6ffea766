namespace PSModel.Core.Diagnosis;

/// <summary>Finds and names the damage of bytes whose right values are at hand. Stateless and thread-safe.</summary>
internal static class DamageComparer
{
    /// <summary>The page of operating systems.</summary>
    public const int PageSize = 4096;

    /// <summary>The line of processors' caches.</summary>
    private const int LineSize = 64;

    /// <summary>Random bytes differ from others in nearly every place; a line with fewer differences was not replaced whole.</summary>
    private const double ReplacedPart = 0.5;

    /// <summary>Compares two readings of the same bytes.</summary>
    /// <param name="offset">Where in the blob they begin.</param>
    /// <param name="right">The right bytes.</param>
    /// <param name="wrong">The wrong ones, of the same length or shorter.</param>
    /// <param name="start">The blob's first bytes; none where they are not at hand.</param>
    public static IEnumerable<DamagedRange> Compare(long offset, byte[] right, byte[] wrong, byte[] start)
    {
        int length = Math.Min(right.Length, wrong.Length);
        int skew = (int)(offset % PageSize);
        int at = 0;
        while ((at = NextDifference(right, wrong, at, length)) < length)
        {
            int page = ((at + skew) / PageSize * PageSize) - skew;
            int end;
            if (page >= 0 && ZerosFrom(wrong, page, length) is int zeros and >= PageSize)
            {
                end = page + zeros;
                yield return new DamagedRange(offset + page, zeros, DamagePattern.ZeroedPages);
            }
            else
            {
                end = EndOfRun(right, wrong, at, length);
                yield return Name(offset, right, wrong, at, end, start, skew);
            }

            at = end;
        }
    }

    /// <summary>How many bytes are zero from a place on, in whole pages.</summary>
    public static int ZerosFrom(byte[] bytes, int start, int end)
    {
        int at = start;
        while (at < end && bytes[at] == 0)
        {
            at++;
        }

        return (at - start) / PageSize * PageSize;
    }

    private static int NextDifference(byte[] right, byte[] wrong, int at, int length)
    {
        while (at < length && right[at] == wrong[at])
        {
            at++;
        }

        return at;
    }

    /// <summary>A run goes on over equal bytes, up to a line of them: some bytes are the same by chance.</summary>
    private static int EndOfRun(byte[] right, byte[] wrong, int at, int length)
    {
        int end = at + 1;
        for (int next = at + 1; next < length && next - end < LineSize; next++)
        {
            if (right[next] != wrong[next])
            {
                end = next + 1;
            }
        }

        return end;
    }

    private static DamagedRange Name(long offset, byte[] right, byte[] wrong, int at, int end, byte[] start, int skew)
    {
        int changed = right[at] ^ wrong[at];
        if (end == at + 1 && (changed & (changed - 1)) == 0)
        {
            return new DamagedRange(offset + at, 1, DamagePattern.SingleBit);
        }

        if (MarkupText.LengthAt(wrong, at, end) > 0)
        {
            return new DamagedRange(offset + at, end - at, DamagePattern.Markup);
        }

        if (end - at >= LineSize && start.Length >= LineSize && wrong.AsSpan(at, end - at).StartsWith(start.AsSpan(0, Math.Min(start.Length, end - at))))
        {
            return new DamagedRange(offset + at, end - at, DamagePattern.RepeatOfStart);
        }

        int first = Math.Max(0, ((at + skew) / LineSize * LineSize) - skew);
        int last = Math.Min(wrong.Length, ((end + skew + LineSize - 1) / LineSize * LineSize) - skew);
        int different = 0;
        for (int i = first; i < last; i++)
        {
            different += right[i] != wrong[i] ? 1 : 0;
        }

        return different >= (last - first) * ReplacedPart
            ? new DamagedRange(offset + first, last - first, DamagePattern.CacheLineRuns)
            : new DamagedRange(offset + at, end - at, DamagePattern.Other);
    }
}
