#if NET
using System.Net.Sockets;

namespace PSModel.Core.Registry;

/// <summary>A connection whose socket stays a blocking one. What is asked for asynchronously, the handshake of TLS for
/// instance, blocks a thread of its own meanwhile. For one reader and one writer at a time; to dispose of it from any thread
/// breaks both off.</summary>
internal sealed class BlockingStream : NetworkStream
{
    /// <summary>As it is in lists of threads; Linux shows 15 characters.</summary>
    private const string ThreadName = "PSModel stream";

    private readonly byte[] _ahead;
    private readonly CancellationTokenRegistration _givingUp;
    private int _start;
    private int _end;

    /// <summary>Takes the socket over.</summary>
    /// <param name="socket">Connected, and only ever used in blocking ways.</param>
    /// <param name="readAhead">Receive so many bytes where fewer are asked for; 0 for only those.</param>
    /// <param name="cancellationToken">Closes the connection, unless a request has been written by then.</param>
    public BlockingStream(Socket socket, int readAhead, CancellationToken cancellationToken)
        : base(socket, ownsSocket: true)
    {
        _ahead = GC.AllocateUninitializedArray<byte>(readAhead);
        _givingUp = cancellationToken.UnsafeRegister(Close, this);
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        if (_start == _end)
        {
            if (buffer.Length >= _ahead.Length)
            {
                return Receive(buffer);
            }

            _start = 0;
            _end = Receive(_ahead);
        }

        int count = Math.Min(buffer.Length, _end - _start);
        _ahead.AsSpan(_start, count).CopyTo(buffer);
        _start += count;
        return count;
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        _givingUp.Unregister();
        Send(buffer);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int read = 0;
        await RunAsync(() => read = buffer.IsEmpty ? WaitForBytes() : Read(buffer.Span), cancellationToken).ConfigureAwait(false);
        return read;
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        await RunAsync(() => Send(buffer.Span), cancellationToken).ConfigureAwait(false);

    protected override void Dispose(bool disposing)
    {
        _givingUp.Unregister();
        base.Dispose(disposing);
    }

    private static void Close(object? stream) => ((BlockingStream)stream!).Dispose();

    private int Receive(Span<byte> buffer)
    {
        try
        {
            return Socket.Receive(buffer);
        }
        catch (SocketException e)
        {
            throw new IOException(e.Message, e);
        }
    }

    private void Send(ReadOnlySpan<byte> buffer)
    {
        try
        {
            Socket.Send(buffer);
        }
        catch (SocketException e)
        {
            throw new IOException(e.Message, e);
        }
    }

    /// <summary>A read of no bytes is a wait for some.</summary>
    private int WaitForBytes()
    {
        if (_start == _end)
        {
            Socket.Poll(Timeout.InfiniteTimeSpan, SelectMode.SelectRead);
        }

        return 0;
    }

    private async Task RunAsync(Action work, CancellationToken cancellationToken)
    {
        try
        {
            using CancellationTokenRegistration closing = cancellationToken.UnsafeRegister(Close, this);
            Task working = BlockingWork.RunAsync(() =>
            {
                Thread.CurrentThread.Name = ThreadName;
                work();
            });
            await working.ConfigureAwait(false);

            // What is broken off may look like the end of the stream.
            cancellationToken.ThrowIfCancellationRequested();
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
    }
}
#endif
