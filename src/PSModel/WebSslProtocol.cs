using System.Security.Authentication;

namespace PSModel;

/// <summary>The versions of TLS that a server is offered, as Invoke-WebRequest's -SslProtocol has them: Windows PowerShell lacks that
/// type, and its .NET lacks the name of TLS 1.3.</summary>
[Flags]
public enum WebSslProtocol
{
    /// <summary>Those that the system thinks best.</summary>
    Default = SslProtocols.None,

    /// <summary>TLS 1.0, which many systems no longer have.</summary>
    Tls = 192,

    /// <summary>TLS 1.1, which many systems no longer have.</summary>
    Tls11 = 768,

    /// <summary>TLS 1.2.</summary>
    Tls12 = 3072,

    /// <summary>TLS 1.3.</summary>
    Tls13 = 12288,
}
