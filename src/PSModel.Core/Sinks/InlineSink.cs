using System.Runtime.ExceptionServices;
using PSModel.Core.Buffers;
using PSModel.Core.Hashing;
using PSModel.Core.Store;

namespace PSModel.Core.Sinks;

/// <summary>
/// Hash and disk of a small blob, without threads: whichever lane brings bytes hashes and writes them. The file is made when
/// the first bytes are there. Thread-safe.
/// </summary>
/// <param name="open">Makes the file.</param>
internal sealed class InlineSink(Func<PartialBlob> open)
{
    private readonly object _gate = new();
    private readonly Queue<Chunk> _chunks = new();
    private bool _isBusy;
    private Exception? _failure;

    public Sha256 Hash { get; } = new();

    /// <summary>The file; <see langword="null"/> before the first byte.</summary>
    public PartialBlob? File { get; private set; }

    /// <summary>Told of each chunk that is hashed and written, or passed over after a failure.</summary>
    public event Action<Chunk>? Released;

    /// <summary>Told of the first failure.</summary>
    public event Action<Exception>? Failed;

    /// <summary>Never blocks.</summary>
    public void Take(Chunk chunk)
    {
        lock (_gate)
        {
            _chunks.Enqueue(chunk);
        }
    }

    /// <summary>Hashes and writes what was taken, unless another lane does so already: that one goes on with it.</summary>
    public void Work()
    {
        for (Chunk? chunk = TryBegin(); chunk is not null; chunk = TryGoOn())
        {
            try
            {
                if (_failure is null)
                {
                    Use(chunk);
                }
            }
            catch (Exception e)
            {
                _failure = e;
                Failed?.Invoke(e);
            }

            Released?.Invoke(chunk);
        }
    }

    /// <summary>Returns when everything taken is hashed and written. Nothing may be taken afterwards.</summary>
    /// <exception cref="Exception">Whatever made a write fail.</exception>
    public void Drain()
    {
        Work();
        lock (_gate)
        {
            while (_isBusy)
            {
                Monitor.Wait(_gate);
            }
        }

        // Another lane took what was left while this one waited, or nothing was.
        if (_failure is not null)
        {
            ExceptionDispatchInfo.Capture(_failure).Throw();
        }
    }

    private Chunk? TryBegin()
    {
        lock (_gate)
        {
            if (_isBusy || _chunks.Count == 0)
            {
                return null;
            }

            _isBusy = true;
            return _chunks.Dequeue();
        }
    }

    private Chunk? TryGoOn()
    {
        lock (_gate)
        {
            if (_chunks.Count > 0)
            {
                return _chunks.Dequeue();
            }

            _isBusy = false;
            Monitor.PulseAll(_gate);
            return null;
        }
    }

    private void Use(Chunk chunk)
    {
        File ??= open();
        Hash.Append(chunk.Bytes);
        File.Append(chunk.Buffer.Bytes, chunk.Start, chunk.Length);
    }
}
