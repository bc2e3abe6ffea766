using System.Runtime.ExceptionServices;
using PSModel.Core.Blocks;
using PSModel.Core.Buffers;
using PSModel.Core.Registry;

namespace PSModel.Core.Sinks;

/// <summary>Puts the chunks of single blocks together, and hands over each block as it is whole, on a thread of its own.</summary>
internal sealed class BlockSink : IDisposable
{
    private readonly BlockLayout _layout;
    private readonly Queue<int> _indices;
    private readonly Action<int, byte[]> _put;
    private readonly BlockingQueue<Chunk> _chunks = new();
    private readonly Thread _thread;
    private byte[] _block = [];
    private int _filled;
    private Exception? _failure;

    /// <summary>Starts the thread.</summary>
    /// <param name="layout">How the blob is divided.</param>
    /// <param name="indices">The blocks wanted, in ascending order.</param>
    /// <param name="put">Given each block.</param>
    public BlockSink(BlockLayout layout, IReadOnlyCollection<int> indices, Action<int, byte[]> put)
    {
        _layout = layout;
        _indices = new Queue<int>(indices);
        _put = put;
        Ranges = [.. BlockLayout.RunsOf(indices).Select(run => new ByteRange(layout.Blocks[run[0]].Start, layout.Blocks[run[run.Count - 1]].End))];
        _thread = new Thread(Run) { Name = "PSModel blocks", IsBackground = true };
        _thread.Start();
    }

    /// <summary>What is to be fetched: neighbouring blocks as one range.</summary>
    public IReadOnlyList<ByteRange> Ranges { get; }

    /// <summary>Told of each chunk that is used up; called on the sink's thread.</summary>
    public event Action<Chunk>? Released;

    /// <summary>Told of the first failure; called on the sink's thread.</summary>
    public event Action<Exception>? Failed;

    /// <summary>Never blocks.</summary>
    public void Take(Chunk chunk) => _chunks.Add(chunk);

    /// <summary>Waits until everything taken is used up. Nothing may be taken afterwards.</summary>
    /// <exception cref="Exception">Why a block could not be handed over.</exception>
    public void Drain()
    {
        _chunks.Complete();
        _thread.Join();
        if (_failure is not null)
        {
            ExceptionDispatchInfo.Capture(_failure).Throw();
        }
    }

    public void Dispose()
    {
        _chunks.Complete();
        _thread.Join();
    }

    private void Run()
    {
        while (_chunks.Take(out Chunk? chunk))
        {
            try
            {
                if (_failure is null)
                {
                    Use(chunk.Bytes);
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

    private void Use(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            int index = _indices.Peek();
            if (_filled == 0)
            {
                _block = new byte[_layout.Blocks[index].Length];
            }

            int length = Math.Min(bytes.Length, _block.Length - _filled);
            bytes.Slice(0, length).CopyTo(_block.AsSpan(_filled));
            bytes = bytes.Slice(length);
            _filled += length;
            if (_filled == _block.Length)
            {
                _indices.Dequeue();
                _filled = 0;
                _put(index, _block);
            }
        }
    }
}
