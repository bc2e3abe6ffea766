using PSModel.Core.Blocks;
using PSModel.Core.Reading;

namespace PSModel.Core.Diagnosis;

/// <summary>
/// Names the damage of bytes that are the same in every read, so that the right ones are not at hand: it looks for what does
/// not belong into a blob. For one diagnosis.
/// </summary>
internal sealed class DamageScanner : IDisposable
{
    /// <summary>A shorter piece of the blob's beginning may stand elsewhere by chance.</summary>
    private const int TellingLength = 64;

    private readonly BlobFile _file;
    private readonly byte[] _start;
    private readonly ReadBuffer _buffer = new();

    /// <summary>A beginning of one byte over and over tells nothing.</summary>
    private readonly bool _isStartTelling;

    private long _runEnd;
    private bool _areZerosNatural;

    /// <summary>Where a repeat of the beginning, found in an earlier block, has come to.</summary>
    private long _repeatEnd = -1;
    private long _repeatStart;

    /// <param name="file">The file.</param>
    /// <param name="start">The blob's first bytes; none where those are damaged themselves.</param>
    public DamageScanner(BlobFile file, byte[] start)
    {
        _file = file;
        _start = start;
        _isStartTelling = start.Length >= TellingLength && start.Take(TellingLength).Distinct().Count() > 1;
    }

    /// <summary>A run of damaged blocks is about to be looked at; what stands beside it is right.</summary>
    public void BeginRun(long start, long end)
    {
        _runEnd = end;

        // Weights may have pages of zeros of their own; where they do, the neighbours mostly have some too.
        _areZerosNatural = HasZeroPage(start - BlockLayout.BlockSize, start) || HasZeroPage(end, end + BlockLayout.BlockSize);
    }

    /// <summary>Looks at one block; call it for the blocks of a run in order.</summary>
    public IEnumerable<DamagedRange> Scan(Block block)
    {
        byte[] bytes = Read(block);
        List<DamagedRange> found = [];
        int at = GoOnWithRepeat(block, bytes, found);
        while (at < bytes.Length)
        {
            (int length, DamagePattern pattern) = MayBegin(bytes[at]) ? Recognise(block, bytes, at) : default;
            if (length > 0)
            {
                found.Add(new DamagedRange(block.Start + at, length, pattern));
            }

            at += Math.Max(length, 1);
        }

        return found.Count > 0 ? found : [new DamagedRange(block.Start, block.Length, DamagePattern.Other)];
    }

    public void Dispose() => _buffer.Dispose();

    /// <summary>Most bytes begin nothing of what is looked for.</summary>
    private bool MayBegin(byte value) => value is 0 or (byte)'<' || (_isStartTelling && value == _start[0]);

    private (int Length, DamagePattern Pattern) Recognise(Block block, byte[] bytes, int at)
    {
        bool isPage = (block.Start + at) % DamageComparer.PageSize == 0;
        if (isPage && !_areZerosNatural && DamageComparer.ZerosFrom(bytes, at, bytes.Length) is int zeros and > 0)
        {
            return (zeros, DamagePattern.ZeroedPages);
        }

        return MarkupText.LengthAt(bytes, at, bytes.Length) is int markup and > 0
            ? (markup, DamagePattern.Markup)
            : (RepeatAt(block, bytes, at), DamagePattern.RepeatOfStart);
    }

    private int RepeatAt(Block block, byte[] bytes, int at)
    {
        int most = Math.Min(bytes.Length - at, _start.Length);
        if (!_isStartTelling || block.Start + at == 0 || most < TellingLength || !bytes.AsSpan(at, TellingLength).SequenceEqual(_start.AsSpan(0, TellingLength)))
        {
            return 0;
        }

        if (IsNatural(block.Start + at))
        {
            return 0;
        }

        int length = Common(bytes.AsSpan(at, most), _start);
        if (at + length == bytes.Length)
        {
            _repeatStart = block.Start + at;
            _repeatEnd = block.End;
        }

        return length;
    }

    /// <summary>Where the right bytes after the damage repeat the blob at the same distance, the blob itself does so.</summary>
    private bool IsNatural(long distance) =>
        _runEnd + TellingLength <= _file.Length
        && Read(new Block(_runEnd, _runEnd + TellingLength)).AsSpan().SequenceEqual(Read(new Block(_runEnd - distance, _runEnd - distance + TellingLength)));

    /// <summary>A 200 answer to a request for a range goes on over many blocks.</summary>
    private int GoOnWithRepeat(Block block, byte[] bytes, List<DamagedRange> found)
    {
        if (_repeatEnd != block.Start)
        {
            return 0;
        }

        int length = Common(bytes, Read(new Block(block.Start - _repeatStart, block.End - _repeatStart)));
        if (length > 0)
        {
            found.Add(new DamagedRange(block.Start, length, DamagePattern.RepeatOfStart));
        }

        _repeatEnd = length == bytes.Length ? block.End : -1;
        return length;
    }

    private bool HasZeroPage(long start, long end)
    {
        if (start < 0 || end > _file.Length)
        {
            return false;
        }

        byte[] bytes = Read(new Block(start, end));
        int skew = (int)((DamageComparer.PageSize - (start % DamageComparer.PageSize)) % DamageComparer.PageSize);
        for (int at = skew; at + DamageComparer.PageSize <= bytes.Length; at += DamageComparer.PageSize)
        {
            if (DamageComparer.ZerosFrom(bytes, at, at + DamageComparer.PageSize) > 0)
            {
                return true;
            }
        }

        return false;
    }

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

    private byte[] Read(Block range) => _file.ReadRange(range.Start, range.Length, _buffer);
}
