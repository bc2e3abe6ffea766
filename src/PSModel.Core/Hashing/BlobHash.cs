using PSModel.Core.Blocks;

namespace PSModel.Core.Hashing;

/// <summary>What is computed of a blob's bytes as they arrive: the SHA-256, which decides, and the block map, which later tells
/// where a file is damaged. For one thread at a time.</summary>
internal sealed class BlobHash
{
    public BlobHash()
        : this(new Sha256(), new BlockMapBuilder())
    {
    }

    /// <param name="sha">The SHA-256.</param>
    /// <param name="blocks">The map at the same byte; <see langword="null"/> where there is none.</param>
    public BlobHash(Sha256 sha, BlockMapBuilder? blocks)
    {
        Sha = sha;
        Blocks = blocks;
    }

    public Sha256 Sha { get; }

    public BlockMapBuilder? Blocks { get; }

    /// <summary>How many bytes were taken in.</summary>
    public long Length => Sha.Length;

    /// <summary>Takes the bytes in.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        Sha.Append(bytes);
        Blocks?.Append(bytes);
    }

    /// <summary>The state after the bytes so far.</summary>
    public BlobHashState Export() => new(Sha.Export(), Blocks?.Mark());
}
