using PSModel.Core.Blocks;
using PSModel.Core.Reading;

namespace PSModel.Core.Diagnosis;

/// <summary>
/// Names the damage of bytes that are the same in every read, so that the right ones are not at hand: it looks for what does
/// not belong into a blob. For one run.
/// </summary>
internal sealed class DamageScanner(BlobFile file, byte[] start) : IDisposable
{
    /// <summary>A shorter piece of the blob's beginning may stand elsewhere by chance.</summary>
    private const int TellingLength = 64;

    private readonly ReadBuffer _buffer = new();

    /// <summary>Where a repeat of the beginning, found in an earlier block, has come to.</summary>
    private long _repeatEnd = -1;
    private long _repeatStart;

    /// <summary>Looks at one block; call it for the blocks in order.</summary>
    /// <param name="block">The block.</param>
    /// <param name="next">The first byte after it that is right again.</param>
    public IEnumerable<DamagedRange> Scan(Block block, long next)
    {
        byte[] bytes = Read(block);
        List<DamagedRange> found = [];
        int at = GoOnWithRepeat(block, bytes, found);
        while (at < bytes.Length)
        {
            if (!MayBegin(bytes[at]))
            {
                at++;
                continue;
            }

            int zeros = (block.Start + at) % DamageComparer.PageSize == 0 ? DamageComparer.ZerosFrom(bytes, at, bytes.Length) : 0;
            int markup = zeros > 0 ? 0 : MarkupText.LengthAt(bytes, at, bytes.Length);
            int repeat = zeros + markup > 0 ? 0 : RepeatAt(block, bytes, at, next);
            if (zeros + markup + repeat == 0)
            {
                at++;
                continue;
            }

            DamagePattern pattern = zeros > 0 ? DamagePattern.ZeroedPages : markup > 0 ? DamagePattern.Markup : DamagePattern.RepeatOfStart;
            found.Add(new DamagedRange(block.Start + at, zeros + markup + repeat, pattern));
            at += zeros + markup + repeat;
        }

        return found.Count > 0 ? found : [new DamagedRange(block.Start, block.Length, DamagePattern.Other)];
    }

    public void Dispose() => _buffer.Dispose();

    /// <summary>Most bytes begin nothing of what is looked for.</summary>
    private bool MayBegin(byte value) => value is 0 or (byte)'<' || (start.Length > 0 && value == start[0]);

    private int RepeatAt(Block block, byte[] bytes, int at, long next)
    {
        int most = Math.Min(bytes.Length - at, start.Length);
        if (block.Start + at == 0 || most < TellingLength || IsUniform(start) || !bytes.AsSpan(at, TellingLength).SequenceEqual(start.AsSpan(0, TellingLength)))
        {
            return 0;
        }

        int length = Common(bytes.AsSpan(at, most), start);
        if (IsNatural(block.Start + at, next))
        {
            return 0;
        }

        if (at + length == bytes.Length)
        {
            _repeatStart = block.Start + at;
            _repeatEnd = block.End;
        }

        return length;
    }

    /// <summary>Where the right bytes after the damage repeat the blob at the same distance, the blob itself does so.</summary>
    private bool IsNatural(long distance, long next) =>
        next + TellingLength <= file.Length && Read(new Block(next, next + TellingLength)).AsSpan().SequenceEqual(Read(new Block(next - distance, next - distance + TellingLength)));

    /// <summary>A 200 answer to a request for a range goes on over many blocks.</summary>
    private int GoOnWithRepeat(Block block, byte[] bytes, List<DamagedRange> found)
    {
        if (_repeatEnd != block.Start)
        {
            return 0;
        }

        byte[] same = Read(new Block(block.Start - _repeatStart, block.End - _repeatStart));
        int length = Common(bytes, same);
        if (length > 0)
        {
            found.Add(new DamagedRange(block.Start, length, DamagePattern.RepeatOfStart));
        }

        _repeatEnd = length == bytes.Length ? block.End : -1;
        return length;
    }

    /// <summary>A beginning of one byte over and over tells nothing.</summary>
    private static bool IsUniform(byte[] bytes) => bytes.Take(TellingLength).Distinct().Count() == 1;

    private static int Common(ReadOnlySpan<byte> one, ReadOnlySpan<byte> other)
    {
        int length = Math.Min(one.Length, other.Length);
        int at = 0;
        while (at < length && one[at] == other[at])
        {
            at++;
        }

        return at;
    }

    /// <summary>Reads a range of at most a block's length, wherever it begins.</summary>
    private byte[] Read(Block range)
    {
        byte[] bytes = new byte[range.Length];
        for (int filled = 0; filled < bytes.Length;)
        {
            long position = range.Start + filled;
            long unit = position / ReadBuffer.UnitSize * ReadBuffer.UnitSize;
            file.Read(unit, _buffer);
            ReadOnlySpan<byte> rest = _buffer.Content.Slice(Math.Min((int)(position - unit), _buffer.Length));
            if (rest.IsEmpty)
            {
                break;
            }

            rest = rest.Slice(0, Math.Min(rest.Length, bytes.Length - filled));
            rest.CopyTo(bytes.AsSpan(filled));
            filled += rest.Length;
        }

        return bytes;
    }
}
