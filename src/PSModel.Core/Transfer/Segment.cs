namespace PSModel.Core.Transfer;

/// <summary>
/// A range of the blob that a lane has claimed, and what has arrived of it. All access is under the lock of the
/// <see cref="ReceiveWindow"/> that made it.
/// </summary>
internal sealed class Segment(long start, long end)
{
    /// <summary>What has arrived and waits for the segments before this one.</summary>
    public Queue<Chunk> Waiting { get; } = new();

    public long Start { get; } = start;

    public long End { get; } = end;

    /// <summary>The offset of the first byte that has not arrived.</summary>
    public long Frontier { get; set; } = start;

    public bool IsComplete => Frontier == End;

    /// <summary>The lanes that fetch it at this moment: one, or two where the first is slow.</summary>
    public List<Lane> Lanes { get; } = [];

    /// <summary>When it was claimed, by <see cref="Environment.TickCount"/>.</summary>
    public int ClaimedAt { get; } = Environment.TickCount;

    /// <summary>Milliseconds since it was claimed.</summary>
    public int Age => unchecked(Environment.TickCount - ClaimedAt);
}
