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
    /// <summary>The token of a request. The pool would go on for seconds with a connection whose request has been given up.</summary>
    public static readonly HttpRequestOptionsKey<CancellationToken> RequestToken = new("PSModel.RequestToken");

    /// <summary>TLS asks for one record at a time, of 16 KiB at most: a call into the system for each.</summary>
    private const int ReadAhead = 256 * 1024;

    public static HttpMessageHandler Create(RegistryOptions options) => new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectCallback = ConnectAsync,
        ConnectTimeout = options.ConnectionTimeout,

        Proxy = new ProxyPastLoopback(HttpClient.DefaultProxy),

        // A range that is broken off has megabytes to come: closing is cheaper than reading them away.
        MaxResponseDrainSize = 0,
        UseCookies = false,
    };

    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        context.InitialRequestMessage.Options.TryGetValue(RequestToken, out CancellationToken requestToken);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, requestToken);
        IReadOnlyList<IPEndPoint> endpoints = await ConnectionRace.ResolveAsync(context.DnsEndPoint, either.Token).ConfigureAwait(false);
        ConnectionRace race = new(BlockingConnection.ConnectAsync);
        Socket socket = await race.RunAsync(endpoints, either.Token).ConfigureAwait(false);
        bool isEncrypted = context.InitialRequestMessage.RequestUri!.Scheme == Uri.UriSchemeHttps;
        return new BlockingStream(socket, isEncrypted ? ReadAhead : 0, requestToken);
    }
#else
    /// <summary>.NET Framework allows two connections a host unless it is told otherwise.</summary>
    private const int ManyConnections = 1024;

    public static HttpMessageHandler Create(RegistryOptions options)
    {
        _ = options;
        ServicePointManager.SecurityProtocol = OldTls.With12(ServicePointManager.SecurityProtocol);
        return new HttpClientHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            MaxConnectionsPerServer = ManyConnections,
            Proxy = new ProxyPastLoopback(WebRequest.DefaultWebProxy),
            UseCookies = false,
        };
    }
#endif
}
