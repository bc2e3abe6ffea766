using System.Collections.Concurrent;
using System.Net;
#if NET
using System.Net.Http;
#endif
using PSModel.Core.Names;

namespace PSModel.Core.Registry;

/// <summary>By which proxy an address is reached, and whether that proxy could be reached so far. Thread-safe.</summary>
internal sealed class ProxyRoute
{
    private readonly ConcurrentDictionary<string, bool> _reached = new(StringComparer.OrdinalIgnoreCase);

    public ProxyRoute(RegistryOptions options)
    {
        IsExplicit = options.Proxy is not null;
        Proxy = options.NoProxy ? null
            : options.Proxy is { } named ? new ExplicitProxy(named, options.ProxyCredentials)
            : new ProxyPastLoopback(SystemProxy);
    }

    /// <summary>For the handler; <see langword="null"/> for none at all.</summary>
    public IWebProxy? Proxy { get; }

    /// <summary>Whether the call named it, and not the environment or the system.</summary>
    public bool IsExplicit { get; }

    /// <summary>The proxy of an address; <see langword="null"/> where it is reached without one.</summary>
    public Uri? Find(Uri address)
    {
        Uri? found = Proxy is null || Proxy.IsBypassed(address) ? null : Proxy.GetProxy(address);
        return found == address ? null : found;
    }

    /// <summary>Whether what is sent to an address within this machine goes to another one over plain http, since it is the proxy's
    /// machine that the address then is.</summary>
    public bool IsExposed(Uri address) =>
        address.Scheme == "http" && AddressText.IsLoopback(address) && Find(address) is { } proxy && !AddressText.IsPrivate(proxy);

    /// <summary>Whether the handler tells by <see cref="NoteReached"/> what it connected to: that of .NET Framework cannot.</summary>
    public bool IsWatched { get; set; }

    /// <summary>Notes that a host was connected to.</summary>
    public void NoteReached(string host, int port) => _reached[$"{host}:{port}"] = true;

    /// <summary>Whether a proxy was ever connected to; <see langword="true"/> where that cannot be known.</summary>
    public bool WasReached(Uri proxy) => !IsWatched || _reached.ContainsKey($"{proxy.IdnHost}:{proxy.Port}");

    private static IWebProxy? SystemProxy =>
#if NET
        HttpClient.DefaultProxy;
#else
        WebRequest.DefaultWebProxy;
#endif
}
