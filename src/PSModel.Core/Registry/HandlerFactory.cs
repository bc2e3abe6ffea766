using System.Net;
using System.Net.Http;
using System.Net.Security;
#if NET
using System.Net.Sockets;
#else
using System.Security.Authentication;
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

    public static HttpMessageHandler Create(RegistryOptions options, ProxyRoute proxies)
    {
        proxies.IsWatched = true;
        return new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectCallback = (context, cancellationToken) => ConnectAsync(context, proxies, cancellationToken),
            ConnectTimeout = options.ConnectionTimeout,

            // A range that is broken off has megabytes to come: closing is cheaper than reading them away.
            MaxResponseDrainSize = 0,
            Proxy = proxies.Proxy,
            SslOptions = Encryption(options),
            UseCookies = false,
            UseProxy = proxies.Proxy is not null,
        };
    }

    /// <summary>A certificate that was given is shown to whoever asks for one: of a list, .NET would leave out those whose CA it cannot
    /// find on this machine. A callback for the server's, where there is one, takes the reason out of the errors.</summary>
    private static SslClientAuthenticationOptions Encryption(RegistryOptions options) => new()
    {
        EnabledSslProtocols = options.SslProtocols,
        LocalCertificateSelectionCallback = options.Certificate is null ? null : (_, _, _, _, _) => options.Certificate,
        RemoteCertificateValidationCallback = options.SkipCertificateCheck ? (_, _, _, errors) => options.SkipCertificateCheck || errors == SslPolicyErrors.None : null,
    };

    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, ProxyRoute proxies, CancellationToken cancellationToken)
    {
        context.InitialRequestMessage.Options.TryGetValue(RequestToken, out CancellationToken requestToken);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, requestToken);
        IReadOnlyList<IPEndPoint> endpoints = await ConnectionRace.ResolveAsync(context.DnsEndPoint, either.Token).ConfigureAwait(false);
        ConnectionRace race = new(BlockingConnection.ConnectAsync);
        Socket socket = await race.RunAsync(endpoints, either.Token).ConfigureAwait(false);
        proxies.NoteReached(context.DnsEndPoint.Host, context.DnsEndPoint.Port);

        // A tunnel through a proxy is for what is encrypted.
        bool isEncrypted = context.InitialRequestMessage.RequestUri!.Scheme == Uri.UriSchemeHttps || context.InitialRequestMessage.Method.Method == "CONNECT";
        return new BlockingStream(socket, isEncrypted ? ReadAhead : 0, requestToken);
    }
#else
    /// <summary>.NET Framework allows two connections a host unless it is told otherwise.</summary>
    private const int ManyConnections = 1024;

    public static HttpMessageHandler Create(RegistryOptions options, ProxyRoute proxies)
    {
        ServicePointManager.SecurityProtocol = OldTls.With12(ServicePointManager.SecurityProtocol);
        HttpClientHandler handler = new()
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            MaxConnectionsPerServer = ManyConnections,
            Proxy = proxies.Proxy,
            UseCookies = false,
            UseProxy = proxies.Proxy is not null,
        };

        // .NET Framework before 4.7.1 lacks these: they are left alone where nothing was asked for.
        if (options.SslProtocols != SslProtocols.None)
        {
            handler.SslProtocols = options.SslProtocols;
        }

        if (options.SkipCertificateCheck)
        {
            handler.ServerCertificateCustomValidationCallback = (_, _, _, errors) => options.SkipCertificateCheck || errors == SslPolicyErrors.None;
        }

        if (options.Certificate is not null)
        {
            handler.ClientCertificates.Add(options.Certificate);
        }

        return handler;
    }
#endif
}
