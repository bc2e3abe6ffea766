using PSModel.Core.Hashing;

namespace PSModel.Core.Buffers;

/// <summary>Consecutive bytes of a blob in a shared buffer, on their way to the hash and to the disk.</summary>
/// <param name="buffer">Where they are; the chunk counts as a user of it.</param>
/// <param name="start">Where they begin in the buffer.</param>
/// <param name="offset">Where they begin in the blob.</param>
/// <param name="length">How many they are.</param>
internal sealed class Chunk(SharedBuffer buffer, int start, long offset, int length)
{
    private int _waiting = 2;

    public SharedBuffer Buffer { get; } = buffer;

    /// <summary>Where the bytes begin in the buffer.</summary>
    public int Start { get; } = start;

    public int Length { get; } = length;

    /// <summary>Where the bytes begin in the blob.</summary>
    public long Offset { get; } = offset;

    /// <summary>Where the bytes end in the blob.</summary>
    public long End => Offset + Length;

    /// <summary>The state of the hash at <see cref="End"/>, where a checkpoint is due there.</summary>
    public BlobHashState? HashState { get; set; }

    /// <summary>The same, fit for no checkpoint.</summary>
    public Chunk WithoutState()
    {
        HashState = null;
        return this;
    }

    /// <summary>Says that the hash, or the disk, has the bytes; true for the second of the two.</summary>
    public bool Done() => Interlocked.Decrement(ref _waiting) == 0;

    public ReadOnlySpan<byte> Bytes => Buffer.Bytes.AsSpan(Start, Length);
}
