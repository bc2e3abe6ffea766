using System.Collections.Concurrent;
using PSModel.Core.Hashing;
using PSModel.Core.Reading;
using PSModel.Core.Registry;

namespace PSModel.Core.Publishing;

/// <summary>Reads a file from a place to its end on a thread of its own, and hashes what comes, while what was read before is sent. For one
/// taker at a time.</summary>
internal sealed class ReadAhead : IDisposable
{
    /// <summary>As many units wait at most: reading, hashing and sending each have one, and one evens them out.</summary>
    private const int Units = 4;

    private readonly CancellationTokenSource _stop = new();
    private readonly BlockingCollection<ReadBuffer> _free = [];
    private readonly BlockingCollection<ReadBuffer> _filled = [];
    private readonly Task _reading;

    /// <summary>Begins to read.</summary>
    /// <param name="file">The file; nobody else reads it meanwhile.</param>
    /// <param name="sha">The hash of all bytes before.</param>
    /// <param name="end">Where to end; the file may be longer.</param>
    /// <param name="onRead">Told of the hash after each unit, on the reading thread.</param>
    /// <param name="onShort">Makes the exception of a file that ends early.</param>
    public ReadAhead(BlobFile file, Sha256 sha, long end, Action<Sha256> onRead, Func<Exception> onShort)
    {
        for (int i = 0; i < Units; i++)
        {
            _free.Add(new ReadBuffer());
        }

        _reading = BlockingWork.RunAsync(() => Read(file, sha, end, onRead, onShort));
    }

    /// <summary>The next unit; it is given back by <see cref="Return"/>.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public ReadBuffer Take(CancellationToken cancellationToken)
    {
        if (_filled.TryTake(out ReadBuffer? unit, Timeout.Infinite, cancellationToken))
        {
            return unit;
        }

        _reading.GetAwaiter().GetResult();
        throw new InvalidOperationException("All of the file was taken.");
    }

    /// <summary>Takes a unit back that was used.</summary>
    public void Return(ReadBuffer unit) => _free.Add(unit);

    /// <summary>Ends the reading; returns when the file is not read any more.</summary>
    public void Dispose()
    {
        _stop.Cancel();
        BlockingWork.Settle(_reading);
        foreach (ReadBuffer unit in _free.Concat(_filled))
        {
            unit.Dispose();
        }

        _free.Dispose();
        _filled.Dispose();
        _stop.Dispose();
    }

    private void Read(BlobFile file, Sha256 sha, long end, Action<Sha256> onRead, Func<Exception> onShort)
    {
        try
        {
            while (sha.Length < end)
            {
                ReadBuffer unit = _free.Take(_stop.Token);
                try
                {
                    file.Read(sha.Length, unit);
                    unit.Length = (int)Math.Min(unit.Length, end - sha.Length);
                    if (unit.Length < Math.Min(ReadBuffer.UnitSize, end - sha.Length))
                    {
                        throw onShort();
                    }

                    sha.Append(unit.Content);
                    onRead(sha);
                }
                catch
                {
                    unit.Dispose();
                    throw;
                }

                _filled.Add(unit);
            }
        }
        finally
        {
            _filled.CompleteAdding();
        }
    }
}
