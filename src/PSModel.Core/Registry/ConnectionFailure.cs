using System.Net;
using System.Net.Http;
using System.Net.Sockets;
using System.Security.Authentication;

namespace PSModel.Core.Registry;

/// <summary>The exceptions by which a connection tells that it has failed. HTTP handlers wrap most of them, and not all.</summary>
internal static class ConnectionFailure
{
    /// <summary>Whether the exception is one of them. One that is disposed of is closed on this side, by a limit of time for
    /// instance.</summary>
    public static bool Is(Exception e) => e
        is HttpRequestException
        or IOException
        or SocketException
        or WebException
        or AuthenticationException
        or ObjectDisposedException;
}
