using System.Diagnostics;
using System.Runtime.ExceptionServices;
using PSModel.Core.Buffers;
using PSModel.Core.Hashing;
using PSModel.Core.Store;

namespace PSModel.Core.Sinks;

/// <summary>
/// Takes the chunks of a large blob in order and brings each to the hash and to the disk, on a thread of its own each, so that
/// the time is that of the slower of the two. Nothing is ever read from the disk.
/// </summary>
internal sealed class OrderedSink : IDisposable
{
    private readonly BlobHash _hash;
    private readonly PartialBlob _file;
    private readonly long _checkpointInterval;
    private readonly BlockingQueue<Chunk> _toHash = new();
    private readonly BlockingQueue<Chunk> _toWrite = new();
    private readonly Thread _hasher;
    private readonly Thread _writer;
    private readonly Stopwatch _sinceCheckpoint = Stopwatch.StartNew();

    private volatile Exception? _failure;
    private long _lastCheckpoint;

    /// <summary>Starts the two threads.</summary>
    /// <param name="hash">The hash, with the bytes that are there already.</param>
    /// <param name="file">The file, at the same position.</param>
    /// <param name="checkpointInterval">The bytes after which a chunk carries the state of the hash.</param>
    public OrderedSink(BlobHash hash, PartialBlob file, long checkpointInterval)
    {
        _hash = hash;
        _file = file;
        _checkpointInterval = checkpointInterval;
        _lastCheckpoint = hash.Length;
        _hasher = Start("PSModel hash", _toHash, Hash);
        _writer = Start("PSModel write", _toWrite, Write);
    }

    /// <summary>Told of each chunk that both the hash and the disk are done with, after a failure as well; called on one of the
    /// two threads.</summary>
    public event Action<Chunk>? Released;

    /// <summary>Told of a failure, of a write above all; called on the thread that failed.</summary>
    public event Action<Exception>? Failed;

    /// <summary>Never blocks.</summary>
    public void Take(Chunk chunk)
    {
        _toHash.Add(chunk);
        _toWrite.Add(chunk);
    }

    /// <summary>Waits until everything taken is hashed and written. Nothing may be taken afterwards.</summary>
    /// <exception cref="Exception">Whatever made a write fail.</exception>
    public void Drain()
    {
        Finish();
        if (_failure is not null)
        {
            ExceptionDispatchInfo.Capture(_failure).Throw();
        }
    }

    public void Dispose() => Finish();

    private void Finish()
    {
        _toHash.Complete();
        _toWrite.Complete();
        _hasher.Join();
        _writer.Join();
    }

    private Thread Start(string name, BlockingQueue<Chunk> chunks, Action<Chunk> use)
    {
        Thread thread = new(() => Run(chunks, use)) { Name = name, IsBackground = true };
        thread.Start();
        return thread;
    }

    private void Run(BlockingQueue<Chunk> chunks, Action<Chunk> use)
    {
        while (chunks.Take(out Chunk? chunk))
        {
            // After a failure the rest only passes through, so that nobody waits for it: it is fit for no checkpoint.
            if (_failure is null)
            {
                Use(chunk, use);
            }

            if (chunk.Done())
            {
                Released?.Invoke(_failure is null ? chunk : chunk.WithoutState());
            }
        }
    }

    /// <summary>An exception that left this thread would end the whole process, whatever it is: a file that grows too long
    /// for its file system, for one, is an argument out of range to .NET.</summary>
    private void Use(Chunk chunk, Action<Chunk> use)
    {
        try
        {
            use(chunk);
        }
        catch (Exception e)
        {
            _failure = e;
            Failed?.Invoke(e);
        }
    }

    private void Hash(Chunk chunk)
    {
        _hash.Append(chunk.Bytes);
        if (chunk.End - _lastCheckpoint >= _checkpointInterval || _sinceCheckpoint.Elapsed >= CheckpointKeeper.LongestInterval)
        {
            chunk.HashState = _hash.Export();
            _lastCheckpoint = chunk.End;
            _sinceCheckpoint.Restart();
        }
    }

    private void Write(Chunk chunk) => _file.Append(chunk.Buffer.Bytes, chunk.Start, chunk.Length);
}
