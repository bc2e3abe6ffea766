#if NET
using System.Net;
using System.Net.Sockets;
using System.Runtime.ExceptionServices;

namespace PSModel.Core.Registry;

/// <summary>Connects to the first address of a host that answers, as RFC 8305 (Happy Eyeballs) has it: one attempt after the
/// other, without waiting for the end of those before. Thread-safe.</summary>
/// <param name="connect">Makes one attempt, and breaks it off when the token is cancelled.</param>
internal sealed class ConnectionRace(Func<IPEndPoint, CancellationToken, Task<Socket>> connect)
{
    /// <summary>The "Connection Attempt Delay" that RFC 8305 recommends.</summary>
    public static readonly TimeSpan AttemptDelay = TimeSpan.FromMilliseconds(250);

    /// <summary>The addresses of a host in the order in which to try them.</summary>
    /// <exception cref="SocketException">The name cannot be resolved.</exception>
    public static async Task<IReadOnlyList<IPEndPoint>> ResolveAsync(DnsEndPoint host, CancellationToken cancellationToken)
    {
        IPAddress[] addresses = IPAddress.TryParse(host.Host, out IPAddress? literal) ? [literal]
            : IsLocalhost(host.Host) ? [IPAddress.IPv6Loopback, IPAddress.Loopback]
            : await Dns.GetHostAddressesAsync(host.Host, cancellationToken).ConfigureAwait(false);
        return [.. Interleave(addresses).Select(address => new IPEndPoint(address, host.Port))];
    }

    /// <summary>The families by turns, beginning with that of the first address; each in the resolver's order.</summary>
    public static IEnumerable<IPAddress> Interleave(IReadOnlyCollection<IPAddress> addresses) => addresses
        .GroupBy(address => address.AddressFamily)
        .SelectMany((family, turn) => family.Select((address, place) => (Address: address, Place: place, Turn: turn)))
        .OrderBy(entry => entry.Place)
        .ThenBy(entry => entry.Turn)
        .Select(entry => entry.Address);

    /// <summary>Begins an attempt when the one before has failed or has lasted for <see cref="AttemptDelay"/>.</summary>
    /// <returns>The socket that was connected first; the others are closed.</returns>
    /// <exception cref="SocketException">Why the first attempt to fail did, where all have.</exception>
    public async Task<Socket> RunAsync(IReadOnlyList<IPEndPoint> endpoints, CancellationToken cancellationToken)
    {
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        List<Task<Socket>> running = [];
        Exception? failure = null;
        Task? latest = null;
        Task delay = Task.CompletedTask;
        int begun = 0;
        try
        {
            while (true)
            {
                bool isDue = latest is null or { IsFaulted: true } || delay.IsCompleted;
                if (begun < endpoints.Count && isDue)
                {
                    Task<Socket> attempt = connect(endpoints[begun++], stop.Token);
                    running.Add(attempt);
                    latest = attempt;
                    delay = Task.Delay(AttemptDelay, stop.Token);
                }

                if (running.Count == 0)
                {
                    ExceptionDispatchInfo.Throw(failure ?? new SocketException((int)SocketError.HostNotFound));
                }

                Task ended = await Task.WhenAny(begun < endpoints.Count ? [.. running, delay] : running).ConfigureAwait(false);
                cancellationToken.ThrowIfCancellationRequested();
                if (running.Find(attempt => attempt == ended) is { } decided)
                {
                    running.Remove(decided);
                    if (decided.IsCompletedSuccessfully)
                    {
                        return await decided.ConfigureAwait(false);
                    }

                    failure ??= decided.Exception?.InnerException;
                }
            }
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            running.ForEach(CloseLate);
        }
    }

    /// <summary>RFC 6761: the name means this machine, whatever a resolver says; some know it in one family only.</summary>
    private static bool IsLocalhost(string host) => host.Equals("localhost", StringComparison.OrdinalIgnoreCase);

    /// <summary>An attempt may succeed just before it hears that it is not needed.</summary>
    private static void CloseLate(Task<Socket> attempt) => _ = attempt.ContinueWith(
        done =>
        {
            if (done.IsCompletedSuccessfully)
            {
                done.Result.Dispose();
            }

            // To look at the exception is to say that it is known.
            _ = done.Exception;
        },
        CancellationToken.None,
        TaskContinuationOptions.ExecuteSynchronously,
        TaskScheduler.Default);
}
#endif
