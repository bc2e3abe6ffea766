using PSModel.Core.Store;

namespace PSModel.Core.Sinks;

/// <summary>
/// Makes checkpoints on a thread of its own, so that flushing the disk holds up neither the hash nor the writes: first the
/// data and its block map are flushed, then the checkpoint is written. Of several that are due, the newest is made. Thread-safe.
/// </summary>
internal sealed class CheckpointKeeper : IDisposable
{
    /// <summary>A slow transfer makes a checkpoint this often.</summary>
    public static readonly TimeSpan LongestInterval = TimeSpan.FromSeconds(2);

    private readonly PartialBlob _file;
    private readonly PartialBlockMap? _map;
    private readonly CheckpointFile _checkpoints;
    private readonly AutoResetEvent _due = new(false);
    private readonly Thread _thread;
    private readonly object _writing = new();

    private Checkpoint? _next;
    private volatile bool _isEnding;

    public CheckpointKeeper(PartialBlob file, PartialBlockMap? map, CheckpointFile checkpoints)
    {
        _file = file;
        _map = map;
        _checkpoints = checkpoints;
        _thread = new Thread(Run) { Name = "PSModel checkpoint", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Told of the offset of each checkpoint that is safe on the disk.</summary>
    public event Action<long>? Kept;

    /// <summary>Told of a checkpoint whose file another program held, and of its words; what it covers is flushed.</summary>
    public event Action<long, Exception>? Missed;

    /// <summary>Told of any other failure to keep one; none is made afterwards.</summary>
    public event Action<Exception>? Failed;

    /// <summary>Asks for a checkpoint at bytes that are written already; returns at once.</summary>
    public void Request(Checkpoint checkpoint)
    {
        Interlocked.Exchange(ref _next, checkpoint);
        _due.Set();
    }

    /// <summary>Stops the thread; a checkpoint that is being made is finished, one that is due is dropped.</summary>
    public void Stop()
    {
        _isEnding = true;
        _due.Set();
        _thread.Join();
    }

    /// <summary>Makes a checkpoint and returns when it is safe.</summary>
    public void Keep(Checkpoint checkpoint)
    {
        lock (_writing)
        {
            Flush(checkpoint);
            _checkpoints.Write(checkpoint);
        }
    }

    public void Dispose()
    {
        Stop();
        _due.Dispose();
    }

    private void Run()
    {
        while (true)
        {
            _due.WaitOne();
            if (_isEnding)
            {
                return;
            }

            try
            {
                if (Interlocked.Exchange(ref _next, null) is { } checkpoint)
                {
                    KeepOrMiss(checkpoint);
                }
            }
            catch (Exception e)
            {
                // Whatever it is, it must not leave the thread and end the process.
                Failed?.Invoke(e);
                return;
            }
        }
    }

    /// <summary>A blob arrives as well without a checkpoint, and the next one may be written.</summary>
    private void KeepOrMiss(Checkpoint checkpoint)
    {
        lock (_writing)
        {
            Flush(checkpoint);
            try
            {
                _checkpoints.Write(checkpoint);
            }
            catch (HeldFileException e)
            {
                Missed?.Invoke(checkpoint.Offset, e);
                return;
            }
        }

        Kept?.Invoke(checkpoint.Offset);
    }

    private void Flush(Checkpoint checkpoint)
    {
        _file.FlushToDisk();
        if (checkpoint.State.Blocks is { } mark)
        {
            _map?.Save(mark);
        }
    }
}
