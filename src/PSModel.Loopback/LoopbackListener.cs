using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace PSModel.Loopback;

/// <summary>Listens on loopback where a model's name can say it. Stateless and thread-safe.</summary>
public static class LoopbackListener
{
    private const int HttpPort = 80;

    /// <summary>How long an end of waiting may go unseen where accepting does not hear of it.</summary>
    private const int PollMicroseconds = 100_000;

    /// <summary>
    /// Starts to listen at a free address. A model's name holds it, and the name is a path in the store: Windows has no colon in one,
    /// so an address there has no port.
    /// </summary>
    public static TcpListener Start() =>
        RuntimeInformation.IsOSPlatform(OSPlatform.Windows) ? StartWithoutPort() : Start(new IPEndPoint(IPAddress.Loopback, 0));

    /// <summary>Starts to listen at a port of 127.0.0.1.</summary>
    public static TcpListener Start(int port) => Start(new IPEndPoint(IPAddress.Loopback, port));

    /// <summary>Starts to listen at a free port of ::1.</summary>
    public static TcpListener StartAtIPv6() => Start(new IPEndPoint(IPAddress.IPv6Loopback, 0));

    /// <summary>Scheme and host, and the port unless it is the usual one.</summary>
    public static Uri AddressOf(TcpListener listener) => new($"http://{listener.LocalEndpoint}");

    /// <summary>Starts to listen at the usual port of an address that nobody else has. On Linux that takes root.</summary>
    public static TcpListener StartWithoutPort()
    {
        while (true)
        {
            byte[] random = Guid.NewGuid().ToByteArray();
            try
            {
                return Start(new IPEndPoint(new IPAddress([127, random[0], random[1], (byte)(1 + (random[2] % 254))]), HttpPort));
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                // One of sixteen million: the next is free.
            }
        }
    }

    /// <summary>The next connection.</summary>
    /// <exception cref="OperationCanceledException">Nobody waits for one any more.</exception>
    /// <exception cref="SocketException">The listener was closed; so may <see cref="InvalidOperationException"/> say.</exception>
    public static async Task<Socket> AcceptAsync(TcpListener listener, CancellationToken cancellationToken)
    {
        if (!RuntimeInformation.IsOSPlatform(OSPlatform.Windows))
        {
            return await listener.AcceptSocketAsync(cancellationToken).ConfigureAwait(false);
        }

        // Under Wine the asynchronous call throws for a connection without an address on a thread of the pool, where nothing catches it.
        return await Task.Factory.StartNew(() => Accept(listener, cancellationToken), cancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
    }

    private static Socket Accept(TcpListener listener, CancellationToken cancellationToken)
    {
        while (true)
        {
            while (!listener.Server.Poll(PollMicroseconds, SelectMode.SelectRead))
            {
                cancellationToken.ThrowIfCancellationRequested();
            }

            try
            {
                return listener.AcceptSocket();
            }
            catch (ArgumentException)
            {
                // One that is reset before it was accepted has no address there, and is no loss.
            }
        }
    }

    private static TcpListener Start(IPEndPoint endPoint)
    {
        TcpListener listener = new(endPoint);
        listener.Start();
        return listener;
    }
}
