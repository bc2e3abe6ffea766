using System.Management.Automation;
using System.Net;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using PSModel.Core.Faults;
using PSModel.Core.Registry;
using PSModel.Errors;

namespace PSModel.Commands;

/// <summary>A cmdlet whose connections may go by a proxy and are encrypted; its parameters are those of Invoke-WebRequest.</summary>
public abstract class ConnectedCommand : StoreCommand
{
    /// <summary>The proxy for every request of the call.</summary>
    [Parameter]
    [ValidateNotNull]
    public Uri? Proxy { get; set; }

    /// <summary>The user and the password for the proxy.</summary>
    [Parameter]
    [ValidateNotNull]
    [Credential]
    public PSCredential? ProxyCredential { get; set; }

    /// <summary>Show the proxy who is signed in to this machine.</summary>
    [Parameter]
    public SwitchParameter ProxyUseDefaultCredentials { get; set; }

    /// <summary>Go by no proxy, whatever the environment and the system tell.</summary>
    [Parameter]
    public SwitchParameter NoProxy { get; set; }

    /// <summary>Take any certificate of a server.</summary>
    [Parameter]
    public SwitchParameter SkipCertificateCheck { get; set; }

    /// <summary>The versions of TLS to offer.</summary>
    [Parameter]
    public WebSslProtocol SslProtocol { get; set; }

    /// <summary>The certificate for servers that ask for one.</summary>
    [Parameter]
    [ValidateNotNull]
    public X509Certificate2? Certificate { get; set; }

    /// <summary>Sets up how to connect, after a look at whether the arguments go together.</summary>
    private protected RegistryOptions AddConnection(RegistryOptions options)
    {
        // Wrapping functions hand an empty one on.
        PSCredential? user = ProxyCredential is null || string.IsNullOrEmpty(ProxyCredential.UserName) ? null : ProxyCredential;
        Refuse(NoProxy && Proxy is not null, "-NoProxy and -Proxy cannot both be given.", nameof(NoProxy));
        Refuse(user is not null && ProxyUseDefaultCredentials, "-ProxyCredential and -ProxyUseDefaultCredentials cannot both be given.", nameof(ProxyCredential));
        Refuse(user is not null && Proxy is null, "-ProxyCredential is for the proxy that -Proxy names, and there is none.", nameof(ProxyCredential), "Give -Proxy, too.");
        Refuse(ProxyUseDefaultCredentials && Proxy is null, "-ProxyUseDefaultCredentials is for the proxy that -Proxy names, and there is none.", nameof(ProxyUseDefaultCredentials), "Give -Proxy, too.");
        if (Proxy is not null)
        {
            CheckProxy(Proxy);
        }

        Refuse(Certificate is { HasPrivateKey: false }, "The certificate given with -Certificate has no private key, and proves nothing without.", nameof(Certificate), "Give it with its key: from a PFX file with Get-PfxCertificate, for instance, or from the store Cert:\\CurrentUser\\My on Windows.");
        options.Proxy = Proxy;
        options.ProxyCredentials = user is not null ? user.GetNetworkCredential() : ProxyUseDefaultCredentials ? CredentialCache.DefaultCredentials : null;
        options.NoProxy = NoProxy;
        options.SkipCertificateCheck = SkipCertificateCheck;
        options.SslProtocols = (SslProtocols)SslProtocol;
        options.Certificate = Certificate;
        return options;
    }

    private void CheckProxy(Uri proxy)
    {
        string shown = OutsideText.Of(OutsideText.Typed(proxy.OriginalString));
        bool isSecret = OutsideText.HasUserInformation(proxy.OriginalString) || (proxy.IsAbsoluteUri && proxy.UserInfo.Length > 0);
        Refuse(isSecret, $"The proxy's address '{shown}' holds a user name or a password, which histories and logs would keep.", nameof(Proxy), "Give it without them, and the credentials by -ProxyCredential.");
        bool isAddress = proxy.IsAbsoluteUri && proxy.Scheme is "http" or "https" && proxy.Host.Length > 0;
        Refuse(!isAddress, $"'{shown}' is not the address of a proxy.", nameof(Proxy), "Give it as http://host:port.");
    }
}
