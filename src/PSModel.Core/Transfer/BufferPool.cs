using System.Collections.Concurrent;

namespace PSModel.Core.Transfer;

/// <summary>Buffers of one size that are used over and over. Thread-safe. As many exist as were ever in use at once.</summary>
internal sealed class BufferPool
{
    /// <summary>Small enough for a processor's cache, large enough that hand-overs cost nothing beside the hash.</summary>
    public const int BufferSize = 512 * 1024;

    private readonly ConcurrentBag<byte[]> _free = [];

    private int _count;

    /// <summary>How many buffers exist.</summary>
    public int Count => Volatile.Read(ref _count);

    public byte[] Rent()
    {
        if (_free.TryTake(out byte[]? buffer))
        {
            return buffer;
        }

        Interlocked.Increment(ref _count);
        return new byte[BufferSize];
    }

    public void Return(byte[] buffer) => _free.Add(buffer);
}
