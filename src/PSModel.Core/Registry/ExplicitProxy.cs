using System.Net;

namespace PSModel.Core.Registry;

/// <summary>A proxy that was named, for every address: as Invoke-WebRequest, it leads to what is within this machine, too, as seen
/// from where the proxy is. .NET Framework's own class would go past it there. Thread-safe.</summary>
internal sealed class ExplicitProxy(Uri address, ICredentials? credentials) : IWebProxy
{
    /// <inheritdoc/>
    public ICredentials? Credentials { get; set; } = credentials;

    /// <inheritdoc/>
    public Uri? GetProxy(Uri destination) => address;

    /// <inheritdoc/>
    public bool IsBypassed(Uri host) => false;
}
