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

    /// <summary>Waits until a program listens at a port of 127.0.0.1, since none says when it does.</summary>
    /// <exception cref="InvalidOperationException">It does not.</exception>
    public static async Task WaitForListenerAsync(int port, ChildProcess program)
    {
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(30));
        while (!patience.IsCancellationRequested)
        {
            try
            {
                using TcpClient client = new();
                await client.ConnectAsync(IPAddress.Loopback, port, patience.Token);
                return;
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                await Until.NextLookAsync();
            }
        }

        throw new InvalidOperationException($"Nobody listens at port {port}: {program.Error}{program.Output}");
    }

    /// <summary>Scheme and host, which a model's name can hold.</summary>
    public static Uri FindAddress()
    {
        using TcpListener listener = LoopbackListener.Start();
        return LoopbackListener.AddressOf(listener);
    }
}
