#if NET
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using PSModel.Core.Faults;
using PSModel.Core.Registry;

namespace PSModel.Core.Tests;

/// <summary>Alone, since all tests are one process and the threads of others would be counted.</summary>
[Collection(nameof(Alone))]
public sealed class ConnectionThreadTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Far less than the minutes for which the system goes on.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(2);

    [Fact]
    public void An_attempt_that_times_out_leaves_no_thread()
    {
        using Blackhole dead = new();
        using HttpTransport transport = new(new RegistryOptions { ConnectionTimeout = TimeSpan.FromMilliseconds(400) });

        ModelFaultException fault = Assert.Throws<ModelFaultException>(() => transport.Ask(Query(dead), CancellationToken.None));

        Assert.Equal(ModelFault.RegistryUnreachable, fault.Fault);
        AssertNoThreads();
    }

    [Fact]
    public async Task An_attempt_that_is_stopped_leaves_no_thread()
    {
        using Blackhole dead = new();
        using CancellationTokenSource stop = new();
        using HttpTransport transport = new(new RegistryOptions());
        Task asking = BlockingWork.RunAsync(() => transport.Ask(Query(dead), stop.Token));
        Assert.True(SpinWait.SpinUntil(() => CountThreads() == 1, Patience));

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking.WaitAsync(Patience));
        AssertNoThreads();
    }

    [Fact]
    public async Task A_handshake_that_is_stopped_leaves_no_thread()
    {
        using Socket silent = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        silent.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        silent.Listen();
        using CancellationTokenSource stop = new();
        using HttpTransport transport = new(new RegistryOptions());
        Task asking = BlockingWork.RunAsync(() => transport.Ask(new HttpQuery(new Uri($"https://{silent.LocalEndPoint}/v2/"), "*/*"), stop.Token));
        using Socket accepted = await silent.AcceptAsync();
        await accepted.ReceiveAsync(new byte[1]);
        Assert.True(SpinWait.SpinUntil(() => CountThreads() == 1, Patience));

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking.WaitAsync(Patience));
        AssertNoThreads();
    }

    private static HttpQuery Query(Blackhole dead) => new(new Uri($"http://{dead.EndPoint}/v2/"), "*/*");

    private static void AssertNoThreads()
    {
        Stopwatch clock = Stopwatch.StartNew();
        Assert.True(SpinWait.SpinUntil(() => CountThreads() == 0, Patience), "a thread still connects");
        Assert.True(clock.Elapsed < Soon, $"a thread went on connecting for {clock.Elapsed}");
    }

    private static int CountThreads() => Directory
        .GetDirectories("/proc/self/task")
        .Count(task => NameOf(task).StartsWith("PSModel ", StringComparison.Ordinal));

    private static string NameOf(string task)
    {
        try
        {
            return File.ReadAllText(Path.Combine(task, "comm")).TrimEnd('\n');
        }
        catch (IOException)
        {
            // It has ended meanwhile.
            return string.Empty;
        }
    }
}
#endif
