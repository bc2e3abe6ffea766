using System.Net;
using System.Net.Http;

namespace PSModel.Core.Registry;

/// <summary>Makes the HTTP handler that each target framework has.</summary>
internal static class HandlerFactory
{
#if NET
    public static HttpMessageHandler Create(RegistryOptions options) => new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectTimeout = options.ConnectionTimeout,

        // A range that is broken off has megabytes to come: closing is cheaper than reading them away.
        MaxResponseDrainSize = 0,
        UseCookies = false,
    };
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
