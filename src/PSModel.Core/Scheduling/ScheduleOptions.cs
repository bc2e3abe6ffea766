namespace PSModel.Core.Scheduling;

/// <summary>The bounds of a schedule. Times are in milliseconds, sizes in bytes.</summary>
internal sealed class ScheduleOptions
{
    /// <summary>The most lanes at a time.</summary>
    public int Lanes { get; init; } = 16;

    /// <summary>The buffers that may be rented at a time, over all blobs.</summary>
    public int Buffers { get; init; } = 384;

    /// <summary>The bytes of a buffer.</summary>
    public int BufferSize { get; init; } = 256 * 1024;

    /// <summary>The processors that may hash.</summary>
    public int Cores { get; init; } = 2;

    /// <summary>The bytes of one blob that may have arrived since its latest checkpoint: what a crash costs at most.</summary>
    public long LargestLoss { get; init; } = 96L * 1024 * 1024;

    /// <summary>The bytes after which a checkpoint is made.</summary>
    public long CheckpointInterval { get; init; } = 16L * 1024 * 1024;

    /// <summary>The retries of a blob in a row without progress.</summary>
    public int MaximumRetries { get; init; } = 6;

    /// <summary>The base of the exponential backoff.</summary>
    public long RetryInterval { get; init; } = 1000;

    /// <summary>The jitter; seeded where runs must repeat.</summary>
    public Random Random { get; init; } = new();

    /// <summary>The buffers that only lanes at or near the first missing byte of a blob may take.</summary>
    public int NearReserve => Math.Max(2, Buffers / 8);

    /// <summary>Of those, the ones that only a lane at the very first missing byte may take.</summary>
    public int HeadReserve => Math.Max(1, Math.Min(Lanes, NearReserve / 2));

    /// <summary>The bytes that all buffers hold together.</summary>
    public long Window => (long)Buffers * BufferSize;
}
