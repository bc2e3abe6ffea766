using System.Buffers.Binary;

namespace PSModel.Core.Hashing;

/// <summary>
/// SHA-256 (FIPS 180-4) whose state can be taken out at any byte and put back, in another process or on another engine.
/// For one thread at a time.
/// </summary>
internal sealed class Sha256
{
    private const int BlockSize = 64;
    private const int HashSize = 32;
    private const int LengthSize = 8;

    private readonly Sha256Engine _engine;
    private readonly uint[] _words;
    private readonly byte[] _tail = new byte[BlockSize];

    public Sha256()
        : this(Sha256Engine.Best)
    {
    }

    public Sha256(Sha256Engine engine)
    {
        _engine = engine;
        _words =
        [
            0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
        ];
    }

    private Sha256(Sha256 other)
    {
        _engine = other._engine;
        _words = (uint[])other._words.Clone();
        other._tail.CopyTo(_tail, 0);
        Length = other.Length;
    }

    /// <summary>How many bytes were taken in.</summary>
    public long Length { get; private set; }

    private int TailLength => (int)(Length % BlockSize);

    /// <summary>The hash of a few bytes that are all here, 32 bytes.</summary>
    public static byte[] HashOf(ReadOnlySpan<byte> bytes)
    {
        Sha256 sha = new(Sha256Engine.Ready);
        sha.Append(bytes);
        return sha.ComputeHash();
    }

    /// <summary>Restores a state that <see cref="Export"/> gave.</summary>
    /// <exception cref="FormatException">It is not such a state.</exception>
    public static Sha256 Restore(ReadOnlySpan<byte> state, Sha256Engine? engine = null)
    {
        Sha256 sha = new(engine ?? Sha256Engine.Best);
        if (state.Length < HashSize + LengthSize)
        {
            throw new FormatException("The state of a SHA-256 is at least 40 bytes long.");
        }

        sha.Length = BinaryPrimitives.ReadInt64BigEndian(state.Slice(HashSize));
        ReadOnlySpan<byte> tail = state.Slice(HashSize + LengthSize);
        if (sha.Length < 0 || tail.Length != sha.TailLength)
        {
            throw new FormatException("The tail of the state does not fit its length.");
        }

        for (int i = 0; i < sha._words.Length; i++)
        {
            sha._words[i] = BinaryPrimitives.ReadUInt32BigEndian(state.Slice(4 * i));
        }

        tail.CopyTo(sha._tail);
        return sha;
    }

    /// <summary>Takes the bytes in.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        int filled = TailLength;
        Length += bytes.Length;
        if (filled > 0)
        {
            int missing = Math.Min(BlockSize - filled, bytes.Length);
            bytes.Slice(0, missing).CopyTo(_tail.AsSpan(filled));
            bytes = bytes.Slice(missing);
            if (filled + missing < BlockSize)
            {
                return;
            }

            _engine.Compress(_words, _tail);
        }

        int whole = bytes.Length - (bytes.Length % BlockSize);
        if (whole > 0)
        {
            _engine.Compress(_words, bytes.Slice(0, whole));
        }

        bytes.Slice(whole).CopyTo(_tail);
    }

    /// <summary>The state: the eight words, the length in bytes (8 bytes), and the bytes of the block that is not full yet;
    /// numbers are big-endian.</summary>
    public byte[] Export()
    {
        byte[] state = new byte[HashSize + LengthSize + TailLength];
        WriteWords(state);
        BinaryPrimitives.WriteInt64BigEndian(state.AsSpan(HashSize), Length);
        _tail.AsSpan(0, TailLength).CopyTo(state.AsSpan(HashSize + LengthSize));
        return state;
    }

    /// <summary>The hash of what was taken in so far, 32 bytes; more may follow.</summary>
    public byte[] ComputeHash()
    {
        Sha256 copy = new(this);
        copy.Pad();
        byte[] hash = new byte[HashSize];
        copy.WriteWords(hash);
        return hash;
    }

    private void Pad()
    {
        long bits = Length * 8;
        int zeros = (BlockSize + BlockSize - LengthSize - 1 - TailLength) % BlockSize;
        Span<byte> padding = stackalloc byte[1 + zeros + LengthSize];
        padding.Clear();
        padding[0] = 0x80;
        BinaryPrimitives.WriteInt64BigEndian(padding.Slice(1 + zeros), bits);
        Append(padding);
    }

    private void WriteWords(Span<byte> destination)
    {
        for (int i = 0; i < _words.Length; i++)
        {
            BinaryPrimitives.WriteUInt32BigEndian(destination.Slice(4 * i), _words[i]);
        }
    }
}
