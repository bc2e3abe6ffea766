using System.Net;
using System.Net.Sockets;

namespace PSModel.Campaign.Network;

/// <summary>Addresses on loopback at which nobody answers.</summary>
internal sealed class DeadHosts : IDisposable
{
    private readonly Socket _silent = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Socket _refusing = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly List<Socket> _filling = [];

    public DeadHosts()
    {
        // Bound, so that nobody else gets the port, and not listening.
        _refusing.Bind(new IPEndPoint(IPAddress.Loopback, 0));

        // A queue that is full makes Linux answer nothing.
        _silent.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _silent.Listen(0);
        Task connecting;
        do
        {
            Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            _filling.Add(socket);
            connecting = socket.ConnectAsync(_silent.LocalEndPoint!);
        }
        while (connecting.Wait(TimeSpan.FromMilliseconds(300)));
        _ = connecting.ContinueWith(done => done.Exception, TaskScheduler.Default);
    }

    /// <summary>Refuses every connection.</summary>
    public string Refusing => $"127.0.0.1:{((IPEndPoint)_refusing.LocalEndPoint!).Port}";

    /// <summary>Answers nothing.</summary>
    public string Silent => $"127.0.0.1:{((IPEndPoint)_silent.LocalEndPoint!).Port}";

    public void Dispose()
    {
        _refusing.Dispose();
        _silent.Dispose();
        _filling.ForEach(socket => socket.Dispose());
    }
}
