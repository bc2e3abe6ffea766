using System.Diagnostics;
using System.Net.Http;
using PSModel.Core.Faults;
using PSModel.Core.Sources;

namespace PSModel.Core.Registry;

/// <summary>An answer's body, read with a bound on silence. Reads block. For one reader at a time.</summary>
internal sealed class BodyStream : IBlobBody
{
    private readonly HttpResponseMessage _response;
    private readonly Stream _stream;
    private readonly TimeSpan _patience;
    private readonly CancellationToken _cancelled;
    private readonly CancellationTokenSource _deadline;
    private readonly CancellationTokenRegistration _closing;
    private readonly Uri _asked;

    /// <summary>As far as the server said; an end before it is a cut, which the streams of .NET Framework do not tell.</summary>
    private readonly long _promised;

    private long _received;

    private BodyStream(HttpResponseMessage response, Stream stream, TimeSpan patience, CancellationToken cancellationToken)
    {
        _response = response;
        _stream = stream;
        _patience = patience;
        _cancelled = cancellationToken;
        _deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);

        // A read that blocks hears no token; what it does hear is its response's end.
        _closing = _deadline.Token.Register(response.Dispose);
        _promised = response.Content.Headers.ContentLength ?? 0;
        _asked = response.RequestMessage!.RequestUri!;
    }

    /// <summary>Takes the response over: it is disposed of with the stream.</summary>
    /// <param name="response">An answer with its headers read.</param>
    /// <param name="patience">The longest wait for a byte.</param>
    /// <param name="cancellationToken">Ends every later read too.</param>
    /// <exception cref="ModelFaultException">The connection was cut.</exception>
    public static BodyStream Open(HttpResponseMessage response, TimeSpan patience, CancellationToken cancellationToken)
    {
        try
        {
            return new BodyStream(response, StreamOf(response, cancellationToken), patience, cancellationToken);
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
        catch (Exception e) when (ConnectionFailure.Is(e))
        {
            throw Cut(OutsideText.Of(response.RequestMessage!.RequestUri!), e.Message, e);
        }
    }

    /// <summary>Reads a body to its end, or one byte past a bound, so that its reader sees that it is broken. The bound on silence
    /// alone would let single bytes take for years.</summary>
    /// <param name="longest">The bound, in bytes.</param>
    /// <param name="patience">As long again as this may a body take that comes slower than a kilobyte a second.</param>
    /// <exception cref="ModelFaultException">The connection was cut, silent for too long, or too slow; all are transient.</exception>
    public byte[] ReadAll(int longest, TimeSpan patience)
    {
        Stopwatch sinceHead = Stopwatch.StartNew();
        byte[] buffer = new byte[16 * 1024];
        int length = 0;
        while (true)
        {
            if (length == buffer.Length)
            {
                Array.Resize(ref buffer, Math.Min(buffer.Length * 2, longest + 1));
            }

            int read = Read(buffer, length, buffer.Length - length);
            length += read;
            if (patience != Timeout.InfiniteTimeSpan && sinceHead.Elapsed > patience + TimeSpan.FromMilliseconds(length))
            {
                throw new ModelFaultException(ModelFault.TransferStalled, $"{Address} sends less than a kilobyte a second.", new FaultFacts { Uri = Address }) { IsTransient = true };
            }

            if (read == 0 || length > longest)
            {
                Array.Resize(ref buffer, length);
                return buffer;
            }
        }
    }

    /// <summary>Reads some bytes; 0 at the end of the body.</summary>
    /// <exception cref="ModelFaultException">The connection was cut, or silent for too long; both are transient.</exception>
    public int Read(byte[] buffer, int offset, int count)
    {
        try
        {
            _deadline.CancelAfter(_patience);
            int read = _stream.Read(buffer, offset, count);
            _deadline.CancelAfter(Timeout.InfiniteTimeSpan);

            // A connection that is closed on this side may look like one that has ended, and may give bytes from further on.
            _deadline.Token.ThrowIfCancellationRequested();
            _received += read;
            return read > 0 || _received >= _promised ? read : throw new IOException(EarlyEnd);
        }
        catch (Exception) when (_cancelled.IsCancellationRequested)
        {
            throw new OperationCanceledException(_cancelled);
        }
        catch (Exception e) when (_deadline.IsCancellationRequested)
        {
            throw Transient(ModelFault.TransferStalled, Address, $"{Address} sent nothing for {_patience.TotalSeconds:0.#} seconds.", e);
        }
#if NET
        catch (HttpIOException e) when (e.HttpRequestError == HttpRequestError.ResponseEnded && _promised > 0)
        {
            // Its text counts the missing bytes one by one.
            throw Cut(Address, EarlyEnd, e);
        }
#endif
        catch (Exception e) when (ConnectionFailure.Is(e))
        {
            throw Cut(Address, e.Message, e);
        }
    }

    public void Dispose()
    {
        _closing.Dispose();
        _deadline.Dispose();
        _response.Dispose();
    }

    private string Address => OutsideText.Of(_asked);

    private string EarlyEnd => $"it ended after {ByteText.Of(_received)} of {ByteText.Of(_promised)}";

    private static Stream StreamOf(HttpResponseMessage response, CancellationToken cancellationToken)
    {
#if NET
        return response.Content.ReadAsStream(cancellationToken);
#else
        cancellationToken.ThrowIfCancellationRequested();
        Stream stream = response.Content.ReadAsStreamAsync().GetAwaiter().GetResult();
        if (stream.CanTimeout)
        {
            // .NET Framework would end a read that blocks for five minutes, whatever the user allows.
            stream.ReadTimeout = Timeout.Infinite;
        }

        return stream;
#endif
    }

    private static ModelFaultException Cut(string address, string why, Exception inner) =>
        Transient(ModelFault.RegistryUnreachable, address, $"The connection to {address} was cut ({OutsideText.Of(why)}).", inner);

    private static ModelFaultException Transient(ModelFault fault, string address, string message, Exception inner) =>
        new(fault, message, new FaultFacts { Uri = address }, inner) { IsTransient = true };
}
