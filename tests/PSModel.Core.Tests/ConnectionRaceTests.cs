#if NET
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using PSModel.Core.Registry;
using PSModel.Loopback;

namespace PSModel.Core.Tests;

public sealed class ConnectionRaceTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ConcurrentQueue<(int Port, TimeSpan At)> _begun = new();
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    [Fact]
    public void The_families_take_turns_beginning_with_the_resolvers_first()
    {
        IPAddress[] addresses = [.. "::1 ::2 ::3 10.0.0.1 10.0.0.2".Split(' ').Select(IPAddress.Parse)];

        Assert.Equal("::1 10.0.0.1 ::2 10.0.0.2 ::3", string.Join(' ', ConnectionRace.Interleave(addresses)));
        Assert.Equal("10.0.0.1 ::1 10.0.0.2", string.Join(' ', ConnectionRace.Interleave([addresses[3], addresses[4], addresses[0]])));
    }

    [Fact]
    public async Task A_dead_address_costs_the_attempt_delay_and_is_given_up()
    {
        using Socket winner = NewSocket();
        bool isGivenUp = false;
        Socket connected = await Race(2, async (port, token) =>
        {
            if (port == 2)
            {
                return winner;
            }

            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.Delay(Timeout.Infinite, token));
            isGivenUp = true;
            throw new OperationCanceledException(token);
        });

        Assert.Same(winner, connected);
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref isGivenUp), Patience));
        Assert.Equal([1, 2], _begun.Select(attempt => attempt.Port));
        Assert.True(_begun.Last().At - _begun.First().At >= ConnectionRace.AttemptDelay - TimeSpan.FromMilliseconds(20));
    }

    [Fact]
    public async Task The_attempt_after_one_that_failed_begins_at_once()
    {
        using Socket winner = NewSocket();
        Socket connected = await Race(4, (port, _) => port == 4
            ? Task.FromResult(winner)
            : Task.FromException<Socket>(new SocketException((int)SocketError.ConnectionRefused)));

        Assert.Same(winner, connected);
        Assert.True(_begun.Last().At - _begun.First().At < ConnectionRace.AttemptDelay);
    }

    [Fact]
    public async Task A_slow_address_may_still_win_and_a_late_one_is_closed()
    {
        using Socket slow = NewSocket();
        Socket late = NewSocket();
        TaskCompletionSource secondBegun = new();
        TaskCompletionSource<Socket> second = new();
        Task<Socket> race = Race(2, async (port, _) =>
        {
            if (port == 1)
            {
                await secondBegun.Task;
                return slow;
            }

            secondBegun.SetResult();
            return await second.Task;
        });

        Assert.Same(slow, await race.WaitAsync(Patience));
        second.SetResult(late);
        Assert.True(SpinWait.SpinUntil(() => late.SafeHandle.IsClosed, Patience));
    }

    [Fact]
    public async Task Where_all_fail_the_first_failure_is_told()
    {
        SocketException thrown = await Assert.ThrowsAsync<SocketException>(() => Race(3, (port, _) => Task.FromException<Socket>(
            new SocketException((int)(port == 1 ? SocketError.NetworkUnreachable : SocketError.ConnectionRefused)))));

        Assert.Equal(SocketError.NetworkUnreachable, thrown.SocketErrorCode);
        Assert.Equal(3, _begun.Count);
    }

    [Fact]
    public async Task A_host_without_an_address_is_not_found()
    {
        SocketException thrown = await Assert.ThrowsAsync<SocketException>(() => Race(0, (_, _) => throw new UnreachableException()));
        Assert.Equal(SocketError.HostNotFound, thrown.SocketErrorCode);
    }

    [Fact]
    public async Task A_race_that_is_stopped_ends_at_once()
    {
        using CancellationTokenSource stop = new();
        ConnectionRace race = new(async (_, token) =>
        {
            await Task.Delay(Timeout.Infinite, token);
            throw new UnreachableException();
        });
        Task<Socket> running = race.RunAsync(EndPoints(3), stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.WaitAsync(Patience));
    }

    [Fact]
    public async Task An_address_that_answers_is_found_behind_one_that_does_not()
    {
        await using LoopbackRegistry registry = LoopbackRegistry.Start();
        using Blackhole dead = new();
        ConnectionRace race = new(BlockingConnection.ConnectAsync);
        IPEndPoint alive = registry.EndPoint;

        using Socket connected = await race.RunAsync([dead.EndPoint, alive], CancellationToken.None).WaitAsync(Patience);

        Assert.Equal(alive, connected.RemoteEndPoint);
        Assert.True(connected.Blocking);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public async Task A_server_on_either_family_is_reached_by_the_name_localhost(string family)
    {
        using Socket server = new(IPAddress.Parse(family).AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        server.Bind(new IPEndPoint(IPAddress.Parse(family), 0));
        server.Listen();
        int port = ((IPEndPoint)server.LocalEndPoint!).Port;

        await ReachAsync("localhost", port, family);
        await ReachAsync(family, port, family);
    }

    private static async Task ReachAsync(string host, int port, string family)
    {
        IReadOnlyList<IPEndPoint> endpoints = await ConnectionRace.ResolveAsync(new DnsEndPoint(host, port), CancellationToken.None);
        ConnectionRace race = new(BlockingConnection.ConnectAsync);
        using Socket connected = await race.RunAsync(endpoints, CancellationToken.None).WaitAsync(Patience);
        Assert.Equal(new IPEndPoint(IPAddress.Parse(family), port), connected.RemoteEndPoint);
    }

    private static Socket NewSocket() => new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    private static IReadOnlyList<IPEndPoint> EndPoints(int count) =>
        [.. Enumerable.Range(1, count).Select(port => new IPEndPoint(IPAddress.Loopback, port))];

    private Task<Socket> Race(int count, Func<int, CancellationToken, Task<Socket>> connect)
    {
        ConnectionRace race = new((endpoint, token) =>
        {
            _begun.Enqueue((endpoint.Port, _clock.Elapsed));
            return connect(endpoint.Port, token);
        });
        return race.RunAsync(EndPoints(count), CancellationToken.None);
    }
}
#endif
