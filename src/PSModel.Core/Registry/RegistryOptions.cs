using System.Net;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using PSModel.Core.Authentication;
using PSModel.Core.Names;

namespace PSModel.Core.Registry;

/// <summary>How to reach a registry. Set it up before it is given to a <see cref="RegistryClient"/>; it is not watched afterwards.</summary>
public sealed class RegistryOptions
{
    /// <summary>Fetch from the first of these that has it, in place of the host in the name; scheme, host and port count, and a path is put
    /// before <c>/v2/</c>. Empty for the name's own host.</summary>
    public IReadOnlyList<Uri> Registries { get; set; } = [];

    /// <summary>Fetch from here in place of all that the name tells; <see langword="null"/> for the name's own place. It goes before
    /// <see cref="Registries"/>.</summary>
    public OciReference? Source { get; set; }

    /// <summary>Allow plain http to a host that is not loopback.</summary>
    public bool AllowUnencrypted { get; set; }

    /// <summary>The time to connect and get an answer's headers.</summary>
    public TimeSpan ConnectionTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The longest wait without a byte of the body before a connection is replaced.</summary>
    public TimeSpan OperationTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Retries in a row without progress.</summary>
    public int MaximumRetryCount { get; set; } = 6;

    /// <summary>The base of the exponential backoff.</summary>
    public TimeSpan RetryInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Who asks; <see langword="null"/> for what the environment and <c>docker login</c> tell.</summary>
    public RegistryCredential? Credential { get; set; }

    /// <summary>The proxy for every address, those within this machine included; <see langword="null"/> for what the environment or
    /// the system tells, which counts for other machines alone.</summary>
    public Uri? Proxy { get; set; }

    /// <summary>What <see cref="Proxy"/> is shown where it asks who comes; nobody else is.</summary>
    public ICredentials? ProxyCredentials { get; set; }

    /// <summary>Go by no proxy, whatever the environment and the system tell.</summary>
    public bool NoProxy { get; set; }

    /// <summary>Take any certificate of a server. Whoever stands in between may then read credentials and change a manifest.</summary>
    public bool SkipCertificateCheck { get; set; }

    /// <summary>The versions of TLS to offer; <see cref="SslProtocols.None"/> for those of the system.</summary>
    public SslProtocols SslProtocols { get; set; }

    /// <summary>The certificate for servers that ask for one, with its private key.</summary>
    public X509Certificate2? Certificate { get; set; }

    /// <summary>Told of every request as it is answered; called from any thread.</summary>
    public Action<string>? Trace { get; set; }
}
