using System.Net;
using System.Net.Sockets;

namespace PSModel.TestParts;

/// <summary>Finds a port of loopback that nobody listens at.</summary>
public static class FreePort
{
    public static int Find()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
