using System.Buffers.Binary;
using System.IO.Hashing;

namespace PSModel.Core.Blocks;

/// <summary>The XXH3 128 of a block (seed 0, the canonical big-endian form). It tells blocks apart at a fraction of the cost of
/// the SHA-256; it is no proof against a forger, so no blob is ever called right by it alone.</summary>
internal readonly record struct BlockChecksum(ulong High, ulong Low)
{
    /// <summary>Its size in bytes.</summary>
    public const int Size = 16;

    /// <summary>The checksum of the bytes.</summary>
    public static BlockChecksum Of(ReadOnlySpan<byte> bytes)
    {
        Span<byte> hash = stackalloc byte[Size];
        XxHash128.Hash(bytes, hash);
        return Read(hash);
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    public static BlockChecksum Read(ReadOnlySpan<byte> bytes) =>
        new(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes.Slice(8)));

    /// <summary>Reads as many as there are.</summary>
    public static BlockChecksum[] ReadAll(byte[] bytes)
    {
        BlockChecksum[] checksums = new BlockChecksum[bytes.Length / Size];
        for (int i = 0; i < checksums.Length; i++)
        {
            checksums[i] = Read(bytes.AsSpan(i * Size));
        }

        return checksums;
    }

    /// <summary>The bytes of several, one after the other.</summary>
    public static byte[] WriteAll(IReadOnlyList<BlockChecksum> checksums, int start, int end)
    {
        byte[] bytes = new byte[(end - start) * Size];
        for (int i = start; i < end; i++)
        {
            checksums[i].Write(bytes.AsSpan((i - start) * Size));
        }

        return bytes;
    }

    /// <summary>Writes its 16 bytes.</summary>
    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, High);
        BinaryPrimitives.WriteUInt64BigEndian(destination.Slice(8), Low);
    }
}
