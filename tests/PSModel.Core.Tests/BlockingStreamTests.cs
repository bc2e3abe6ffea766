#if NET
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PSModel.Core.Registry;

namespace PSModel.Core.Tests;

public sealed class BlockingStreamTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource _stop = new();
    private readonly Socket _client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Socket _server;

    public BlockingStreamTests()
    {
        using Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        _client.Connect(listener.LocalEndPoint!);
        _server = listener.Accept();
    }

    public void Dispose()
    {
        _client.Dispose();
        _server.Dispose();
        _stop.Dispose();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1000)]
    public void Bytes_come_in_their_order_however_many_are_asked_for(int readAhead)
    {
        using BlockingStream stream = new(_client, readAhead, CancellationToken.None);
        byte[] sent = RandomNumberGenerator.GetBytes(10_000);
        _server.Send(sent);
        _server.Shutdown(SocketShutdown.Send);

        using MemoryStream received = new();
        byte[] buffer = new byte[3000];
        int read;
        for (int i = 0; (read = stream.Read(buffer, 0, i % 2 == 0 ? 7 : buffer.Length)) > 0; i++)
        {
            received.Write(buffer, 0, read);
        }

        Assert.Equal(sent, received.ToArray());
    }

    [Fact]
    public async Task To_dispose_of_it_breaks_a_read_off()
    {
        BlockingStream stream = new(_client, 0, CancellationToken.None);
        Task reading = Reading(stream);
        await stream.DisposeAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => reading.WaitAsync(Patience));
    }

    [Fact]
    public async Task An_asynchronous_read_hears_its_token()
    {
        await using BlockingStream stream = new(_client, 0, CancellationToken.None);
        Task reading = stream.ReadAsync(new byte[1], _stop.Token).AsTask();
        await _stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading.WaitAsync(Patience));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1000)]
    public async Task A_read_of_no_bytes_waits_for_some_and_takes_none(int readAhead)
    {
        await using BlockingStream stream = new(_client, readAhead, CancellationToken.None);
        Task<int> waiting = stream.ReadAsync(Memory<byte>.Empty).AsTask();
        await Task.Delay(50);
        Assert.False(waiting.IsCompleted);

        _server.Send("ab"u8);
        Assert.Equal(0, await waiting.WaitAsync(Patience));
        Assert.Equal('a', stream.ReadByte());
        Assert.Equal(0, await stream.ReadAsync(Memory<byte>.Empty).AsTask().WaitAsync(Patience));
        Assert.Equal('b', stream.ReadByte());
    }

    [Fact]
    public async Task Given_up_before_it_is_used_it_is_closed()
    {
        await using BlockingStream stream = new(_client, 0, _stop.Token);
        await _stop.CancelAsync();
        Task<int> receiving = _server.ReceiveAsync(new byte[1]);
        Assert.Same(receiving, await Task.WhenAny(receiving, Task.Delay(Patience)));
        Assert.True(receiving.IsFaulted || await receiving == 0);
    }

    [Fact]
    public async Task Given_up_by_the_first_request_it_goes_on_for_the_next()
    {
        await using BlockingStream stream = new(_client, 0, _stop.Token);
        stream.Write("x"u8);
        await _stop.CancelAsync();
        stream.Write("y"u8);
        _server.Send("z"u8);
        Assert.Equal('z', stream.ReadByte());
    }

    [Fact]
    public async Task The_socket_is_still_a_blocking_one_after_the_handshake_of_TLS()
    {
        using X509Certificate2 certificate = SelfSigned.Make();
        await using SslStream server = new(new NetworkStream(_server));
        BlockingStream stream = new(_client, 64 * 1024, CancellationToken.None);
        await using SslStream client = new(stream, leaveInnerStreamOpen: false, (_, shown, _, _) => certificate.Equals(shown));
        await Task.WhenAll(server.AuthenticateAsServerAsync(certificate), client.AuthenticateAsClientAsync("localhost")).WaitAsync(Patience);
        await server.WriteAsync(new byte[1000]);
        byte[] buffer = new byte[1000];
        client.ReadExactly(buffer, 0, buffer.Length);
        Assert.False(IsNonBlocking(_client));

        Task reading = Reading(client);
        await client.DisposeAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => reading.WaitAsync(Patience));
    }

    /// <summary>A read that waits for bytes that do not come.</summary>
    private static Task Reading(Stream stream)
    {
        Thread? thread = null;
        Task reading = BlockingWork.RunAsync(() =>
        {
            Volatile.Write(ref thread, Thread.CurrentThread);
            stream.ReadExactly(new byte[1]);
        });
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref thread) is not null, Patience));

        // The system gives no sign of a thread that has come to wait in it.
        Thread.Sleep(50);
        return reading;
    }

    private static bool IsNonBlocking(Socket socket)
    {
        const int NonBlocking = 0x800;
        string flags = File.ReadLines($"/proc/self/fdinfo/{socket.Handle}").First(line => line.StartsWith("flags:", StringComparison.Ordinal));
        return (Convert.ToInt32(flags["flags:".Length..].Trim(), 8) & NonBlocking) != 0;
    }
}
#endif
