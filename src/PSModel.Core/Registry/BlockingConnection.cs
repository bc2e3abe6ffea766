#if NET
using System.Net;
using System.Net.Sockets;

namespace PSModel.Core.Registry;

/// <summary>Connects a socket that stays a blocking one. .NET makes a socket non-blocking for good when something asynchronous
/// is first done to it; a read of a blocking one is a single call into the system, and wakes nobody but its reader. Stateless
/// and thread-safe.</summary>
internal static class BlockingConnection
{
    /// <summary>As it is in lists of threads; Linux shows 15 characters.</summary>
    private const string ThreadName = "PSModel connect";

    /// <summary>Connects on a thread of its own, which ends with the attempt, also where that is broken off.</summary>
    /// <exception cref="SocketException">No connection.</exception>
    public static async Task<Socket> ConnectAsync(IPEndPoint endpoint, CancellationToken cancellationToken)
    {
        Socket socket = new(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            Task connecting = BlockingWork.RunAsync(() =>
            {
                Thread.CurrentThread.Name = ThreadName;
                socket.Connect(endpoint);
            });
            await connecting.WaitAsync(cancellationToken).ConfigureAwait(false);
            return socket;
        }
        catch
        {
            Close(socket);
            throw;
        }
    }

    /// <summary>To dispose of the socket breaks connect(2) off, and waits until that has returned. macOS cannot break it off, so
    /// nobody is made to wait there; the system's own limit ends the thread.</summary>
    private static void Close(Socket socket)
    {
        if (OperatingSystem.IsMacOS())
        {
            _ = BlockingWork.RunAsync(socket.Dispose);
        }
        else
        {
            socket.Dispose();
        }
    }
}
#endif
