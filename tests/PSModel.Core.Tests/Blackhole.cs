#if NET
using System.Net;
using System.Net.Sockets;

namespace PSModel.Core.Tests;

/// <summary>An address on loopback that answers no SYN: a listener whose queue is full. On Linux; others answer with a reset.</summary>
internal sealed class Blackhole : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly List<Socket> _filling = [];

    public Blackhole()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(0);
        Task connecting;
        do
        {
            Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            _filling.Add(socket);
            connecting = socket.ConnectAsync(EndPoint);
        }
        while (connecting.Wait(TimeSpan.FromMilliseconds(300)));
        _ = connecting.ContinueWith(done => done.Exception, TaskScheduler.Default);
    }

    public IPEndPoint EndPoint => (IPEndPoint)_listener.LocalEndPoint!;

    public void Dispose()
    {
        _filling.ForEach(socket => socket.Dispose());
        _listener.Dispose();
    }
}
#endif
