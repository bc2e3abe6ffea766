using PSModel.Core.Buffers;
using PSModel.Core.Scheduling;

namespace PSModel.Core.Tests.Simulation;

/// <summary>Hash, disk and checkpoints of one blob, each with a speed of its own; and a look that the bytes come in order.</summary>
internal sealed class SimulatedSink(Simulation world, long size, double rate, long flush)
{
    private double _busyUntil;
    private long _taken;
    private long _checkpointed;

    /// <summary>The blob; set once.</summary>
    public BlobSchedule Blob { get; set; } = null!;

    public bool IsWhole => _taken == size;

    public Exception? Failure { get; set; }

    public void Take(Chunk chunk)
    {
        world.Require(chunk.Offset == _taken, $"byte {chunk.Offset} came in place of byte {_taken}");
        _taken = chunk.End;
        world.Require(_taken <= size, "more came than the blob has");
        _busyUntil = Math.Max(_busyUntil, world.Now) + (chunk.Length / rate);
        world.At((long)_busyUntil, () => Finish(chunk));
    }

    private void Finish(Chunk chunk)
    {
        Blob.Release(chunk.Length, world.Now);
        world.LetGo(chunk.Buffer);
        if (chunk.End - _checkpointed >= world.Options.CheckpointInterval)
        {
            _checkpointed = chunk.End;
            world.At(world.Now + flush, () => Blob.Durable = Math.Max(Blob.Durable, chunk.End));
        }
    }
}
