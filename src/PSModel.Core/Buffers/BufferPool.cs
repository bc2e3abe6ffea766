namespace PSModel.Core.Buffers;

/// <summary>Buffers of one size that are used over and over, by one call after the other. Thread-safe.</summary>
internal sealed class BufferPool
{
    /// <summary>Small enough for a processor's cache and for slow connections that hold one each, large enough that hand-overs
    /// cost nothing beside the hash.</summary>
    public const int BufferSize = 256 * 1024;

    private readonly Stack<byte[]> _free = new();

    /// <summary>The process's own: a call that begins after another takes over its buffers.</summary>
    public static BufferPool Shared { get; } = new();

    /// <summary>Gives a buffer that the caller is the one user of; its bytes are whatever they were.</summary>
    public SharedBuffer Rent()
    {
        lock (_free)
        {
            return new SharedBuffer(_free.Count > 0 ? _free.Pop() : new byte[BufferSize]);
        }
    }

    /// <summary>Takes back a buffer that nobody uses any more.</summary>
    public void Return(SharedBuffer buffer)
    {
        lock (_free)
        {
            // The buffer used last is the one that the processor's cache still has.
            _free.Push(buffer.Bytes);
        }
    }
}
