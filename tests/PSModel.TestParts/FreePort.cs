using System.Net;
using System.Net.Sockets;
using PSModel.Loopback;

namespace PSModel.TestParts;

/// <summary>Finds a place on loopback that nobody listens at.</summary>
public static class FreePort
{
    public static int Find()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Scheme and host, which a model's name can hold.</summary>
    public static Uri FindAddress()
    {
        using TcpListener listener = LoopbackListener.Start();
        return LoopbackListener.AddressOf(listener);
    }
}
