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
    public async Task<byte[]> ReadAsync(Block block, long end, CancellationToken cancellationToken)
    {
        byte[] bytes = new byte[block.Length];
        int filled = 0;
        while (filled < bytes.Length)
        {
            filled = await saver.Client.Retries.RunAsync(
                token => AttemptAsync(block.Start, bytes, filled, end, token),
                _ => meter.CountRetry(),
                cancellationToken).ConfigureAwait(false);
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
    private async Task<int> AttemptAsync(long start, byte[] bytes, int filled, long end, CancellationToken cancellationToken)
    {
        int before = filled;
        try
        {
            await OpenAsync(start + filled, end, cancellationToken).ConfigureAwait(false);
            while (filled < bytes.Length)
            {
                int read = await ReadSomeAsync(bytes, filled, bytes.Length - filled, cancellationToken).ConfigureAwait(false);
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
                await Task.Delay(saver.Client.Retries.Interval, cancellationToken).ConfigureAwait(false);
            }

            return filled;
        }
        catch
        {
            Close();
            throw;
        }
    }

    private async Task OpenAsync(long position, long end, CancellationToken cancellationToken)
    {
        // A server that ignores ranges sends the whole blob: it is not asked for it again while it has not come to the block.
        bool isOnTheWay = _stream is not null && _isWhole && _stream.Position < position;
        if (!isOnTheWay && (_stream?.Position != position || _stream.End == position))
        {
            Close();
            _stream = await source.OpenAsync(new ByteRange(position, end), cancellationToken).ConfigureAwait(false);
            _isWhole = _stream.Position < position;
            meter.ConnectionOpened();
        }

        while (_stream!.Position < position)
        {
            await ReadSomeAsync(_skipped, 0, (int)Math.Min(_skipped.Length, position - _stream.Position), cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<int> ReadSomeAsync(byte[] buffer, int offset, int wanted, CancellationToken cancellationToken)
    {
        int read = await saver.Limiter.ReadAsync(_stream!, buffer, offset, wanted, cancellationToken).ConfigureAwait(false);
        meter.Receive(read);
        return read > 0 ? read : throw new ModelFaultException(
            ModelFault.SizeMismatch,
            $"The registry sent {_stream!.Position} bytes in place of those up to {_stream.End}.")
        {
            IsTransient = true,
        };
    }
}
