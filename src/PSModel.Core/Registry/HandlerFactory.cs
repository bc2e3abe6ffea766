using System.Net;
using System.Net.Http;
#if NET
using System.Net.Sockets;
#endif

namespace PSModel.Core.Registry;

/// <summary>Makes the HTTP handler that each target framework has.</summary>
internal static class HandlerFactory
{
#if NET
    public static HttpMessageHandler Create(RegistryOptions options) => new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectCallback = ConnectAsync,
        ConnectTimeout = options.ConnectionTimeout,

        // A range that is broken off has megabytes to come: closing is cheaper than reading them away.
        MaxResponseDrainSize = 0,
        UseCookies = false,
    };

    /// <summary>A socket stays a blocking one until something asynchronous is first done to it: connecting, or the handshake of
    /// TLS. Without TLS, then, a read is a single call into the system, and wakes nobody but the lane whose bytes have come.</summary>
    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await BlockingWork.RunAsync(() => socket.Connect(context.DnsEndPoint)).WaitAsync(cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            // Some systems cannot break an attempt off, and then this waits for its end.
            _ = BlockingWork.RunAsync(socket.Dispose);
            throw;
        }
    }
#else
    /// <summary>.NET Framework allows two connections a host unless it is told otherwise.</summary>
    private const int ManyConnections = 1024;

    public static HttpMessageHandler Create(RegistryOptions options)
    {
        _ = options;
        return new HttpClientHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            MaxConnectionsPerServer = ManyConnections,
            UseCookies = false,
        };
    }
#endif
}
