using System.Net;
using PSModel.Core.Names;

namespace PSModel.Core.Registry;

/// <summary>The system's proxy, but for what is within this machine: that may go over plain http, with credentials, since nobody
/// else can listen. Thread-safe.</summary>
internal sealed class ProxyPastLoopback(IWebProxy? inner) : IWebProxy
{
    /// <inheritdoc/>
    public ICredentials? Credentials
    {
        get => inner?.Credentials;
        set
        {
            if (inner is not null)
            {
                inner.Credentials = value;
            }
        }
    }

    /// <inheritdoc/>
    public Uri? GetProxy(Uri destination) => IsBypassed(destination) ? destination : inner!.GetProxy(destination);

    /// <inheritdoc/>
    public bool IsBypassed(Uri host) => inner is null || AddressText.IsLoopback(host) || inner.IsBypassed(host);
}
