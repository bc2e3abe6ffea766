using PSModel.Core.Blocks;
using PSModel.Core.Faults;
using PSModel.Core.Registry;

namespace PSModel.Core.Transfer;

/// <summary>Fetches single blocks in ascending order over one connection, with the retries of the call; a connection that has
/// come to the next block is kept. For one thread at a time.</summary>
internal sealed class RangeFetch(BlobSource source, ModelSaver saver, TransferMeter meter) : IDisposable
{
    private readonly byte[] _skipped = new byte[64 * 1024];
    private BlobStream? _stream;
    private bool _isWhole;

    /// <summary>Fetches a block.</summary>
    /// <param name="block">The bytes wanted.</param>
    /// <param name="end">How far the bytes will be wanted after it: a new connection asks for all of them.</param>
    /// <param name="cancellationToken">Stops the transfer.</param>
    /// <exception cref="ModelFaultException">The retries are used up, or there is no point in any.</exception>
    public byte[] Read(Block block, long end, CancellationToken cancellationToken)
    {
        byte[] bytes = new byte[block.Length];
        int filled = 0;
        while (filled < bytes.Length)
        {
            filled = saver.Client.Retries.Run(
                token => Attempt(block.Start, bytes, filled, end, token),
                meter.CountRetry,
                cancellationToken);
        }

        return bytes;
    }

    /// <summary>Closes the connection.</summary>
    public void Dispose() => Close();

    private void Close()
    {
        if (_stream is not null)
        {
            meter.ConnectionClosed();
        }

        _stream?.Dispose();
        _stream = null;
    }

    /// <summary>Fills the buffer over one connection. Bytes that came before it failed are progress: the retries count anew.</summary>
    /// <returns>How many bytes of the buffer are filled.</returns>
    private int Attempt(long start, byte[] bytes, int filled, long end, CancellationToken cancellationToken)
    {
        int before = filled;
        try
        {
            Open(start + filled, end, cancellationToken);
            while (filled < bytes.Length)
            {
                int read = ReadSome(bytes, filled, bytes.Length - filled, cancellationToken);
                meter.Accept(read);
                filled += read;
            }

            return filled;
        }
        catch (ModelFaultException e) when (e.IsTransient && filled > before)
        {
            Close();
            meter.CountRetry();
            if (filled - before < Math.Min(Lane.WorthwhileBytes, bytes.Length))
            {
                saver.Client.Retries.Pause(cancellationToken);
            }

            return filled;
        }
        catch
        {
            Close();
            throw;
        }
    }

    private void Open(long position, long end, CancellationToken cancellationToken)
    {
        // A server that ignores ranges sends the whole blob: it is not asked for it again while it has not come to the block.
        bool isOnTheWay = _stream is not null && _isWhole && _stream.Position < position;
        if (!isOnTheWay && (_stream?.Position != position || _stream.End == position))
        {
            Close();
            _stream = source.Open(new ByteRange(position, end), cancellationToken);
            _isWhole = _stream.Position < position;
            meter.ConnectionOpened();
        }

        while (_stream!.Position < position)
        {
            ReadSome(_skipped, 0, (int)Math.Min(_skipped.Length, position - _stream.Position), cancellationToken);
        }
    }

    private int ReadSome(byte[] buffer, int offset, int wanted, CancellationToken cancellationToken)
    {
        int read = saver.Limiter.Read(_stream!, buffer, offset, wanted, cancellationToken);
        meter.Receive(read);
        return read > 0 ? read : throw new ModelFaultException(
            ModelFault.SizeMismatch,
            $"The registry sent {_stream!.Position} bytes in place of those up to {_stream.End}.")
        {
            IsTransient = true,
        };
    }
}
