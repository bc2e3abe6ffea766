using System.Net.Sockets;
using System.Text;
using PSModel.Loopback;

namespace PSModel.Core.Tests.Hostile;

/// <summary>Answers each request with bytes as a test gives them, head and all, and closes the connection.</summary>
internal sealed class RawServer : IDisposable
{
    private readonly TcpListener _listener = LoopbackListener.Start();
    private readonly Func<string, IEnumerable<byte[]>> _answer;
    private long _bytesSent;

    /// <param name="answer">Given the path of a request; it may go on for ever.</param>
    public RawServer(Func<string, IEnumerable<byte[]>> answer)
    {
        _answer = answer;
        _ = AcceptAsync();
    }

    /// <param name="head">The head of every answer, in Latin-1, without its last, empty line.</param>
    /// <param name="body">The body, in UTF-8.</param>
    public RawServer(string head, string body = "")
        : this(_ => [Encoding.Latin1.GetBytes($"{head}\r\n\r\n"), Encoding.UTF8.GetBytes(body)])
    {
    }

    /// <summary>Scheme and host, and the port unless it is the usual one.</summary>
    public Uri Address => LoopbackListener.AddressOf(_listener);

    public long BytesSent => Interlocked.Read(ref _bytesSent);

    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                Socket socket = await LoopbackListener.AcceptAsync(_listener, CancellationToken.None);
                _ = Task.Factory.StartNew(() => Serve(socket), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // Disposed of.
        }
    }

    private void Serve(Socket socket)
    {
        using (socket)
        {
            try
            {
                byte[] head = new byte[64 * 1024];
                int length = 0;
                do
                {
                    int read = socket.Receive(head, length, head.Length - length, SocketFlags.None);
                    if (read == 0)
                    {
                        return;
                    }

                    length += read;
                }
                while (!head.AsSpan(0, length).EndsWith("\r\n\r\n"u8));

                foreach (byte[] piece in _answer(Encoding.Latin1.GetString(head, 0, length).Split(' ')[1]))
                {
                    socket.Send(piece);
                    Interlocked.Add(ref _bytesSent, piece.Length);
                }

                socket.Shutdown(SocketShutdown.Send);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The other side has heard enough.
            }
        }
    }
}
