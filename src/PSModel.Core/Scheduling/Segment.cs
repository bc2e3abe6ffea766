using PSModel.Core.Buffers;

namespace PSModel.Core.Scheduling;

/// <summary>A range of a blob that one lane fetches, two where the first is slow, or none where it was given up; and what has
/// arrived of it. Only the <see cref="Scheduler"/> changes it.</summary>
internal sealed class Segment(BlobSchedule blob, long start, long end)
{
    /// <summary>What has arrived and waits for the segments before this one.</summary>
    public Queue<Chunk> Waiting { get; } = new();

    public BlobSchedule Blob { get; } = blob;

    public long Start { get; } = start;

    /// <summary>Moves forward where the rest is given to others.</summary>
    public long End { get; set; } = end;

    /// <summary>The offset of the first byte that has not arrived.</summary>
    public long Frontier { get; set; } = start;

    public long Missing => End - Frontier;

    public bool IsComplete => Frontier == End;

    /// <summary>The lanes that fetch it at this moment.</summary>
    public List<LaneSchedule> Lanes { get; } = [];
}
