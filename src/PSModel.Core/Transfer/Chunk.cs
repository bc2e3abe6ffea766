using PSModel.Core.Hashing;

namespace PSModel.Core.Transfer;

/// <summary>Consecutive bytes of the blob in a pooled buffer, on their way to the hash and to the disk.</summary>
internal sealed class Chunk(byte[] buffer, int start, int length, long offset)
{
    private int _users = 2;

    public byte[] Buffer { get; } = buffer;

    /// <summary>Where the bytes begin in the buffer.</summary>
    public int Start { get; } = start;

    public int Length { get; } = length;

    /// <summary>Where the bytes end in the blob.</summary>
    public long End { get; } = offset + length;

    /// <summary>The state of the hash at <see cref="End"/>, where a checkpoint is due there.</summary>
    public BlobHashState? HashState { get; set; }

    /// <summary>Says that the hash, or the disk, has the bytes; true for the second of the two.</summary>
    public bool Done() => Interlocked.Decrement(ref _users) == 0;
}
