using System.Security.Cryptography;

namespace PSModel.Loopback;

/// <summary>
/// A blob's bytes, of any length in little memory: one block of random bytes, over and over. The block's length is odd, so
/// that bytes at the wrong offset are never right by chance of alignment. Immutable.
/// </summary>
public sealed class BlobContent
{
    /// <summary>The length of the repeated block, a prime near 4 MiB.</summary>
    private const int Period = 4_194_319;

    private readonly byte[] _block;

    private BlobContent(byte[] block, long length)
    {
        _block = block;
        Length = length;
        Digest = ComputeDigest();
    }

    /// <summary>The blob's size in bytes.</summary>
    public long Length { get; }

    /// <summary><c>sha256:</c> and 64 lowercase hexadecimal digits.</summary>
    public string Digest { get; }

    /// <summary>Makes a blob of the bytes given.</summary>
    public static BlobContent Of(byte[] bytes) => new(bytes, bytes.Length);

    /// <summary>Makes up a blob; the same seed and length make the same one.</summary>
    public static BlobContent Generate(long length, int seed)
    {
        byte[] block = new byte[(int)Math.Min(length, Period)];
        new Random(seed).NextBytes(block);
        return new BlobContent(block, length);
    }

    /// <summary>Some bytes from <paramref name="offset"/> on, at most so many.</summary>
    public ReadOnlyMemory<byte> Piece(long offset, long longest)
    {
        if (offset >= Length)
        {
            return ReadOnlyMemory<byte>.Empty;
        }

        int start = (int)(offset % _block.Length);
        long left = Math.Min(longest, Length - offset);
        return _block.AsMemory(start, (int)Math.Min(left, _block.Length - start));
    }

    private string ComputeDigest()
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (long offset = 0; offset < Length;)
        {
            ReadOnlyMemory<byte> piece = Piece(offset, long.MaxValue);
            hash.AppendData(piece.Span);
            offset += piece.Length;
        }

        return $"sha256:{Convert.ToHexStringLower(hash.GetHashAndReset())}";
    }
}
