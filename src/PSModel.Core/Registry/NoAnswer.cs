using System.Globalization;
using System.Net;
using System.Net.Http;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text.RegularExpressions;
using PSModel.Core.Faults;

namespace PSModel.Core.Registry;

/// <summary>Why a request got no answer of the server, and what to do about it. Immutable.</summary>
internal sealed class NoAnswer
{
    private const string TrustIt = "Check the host. If the certificate is of a CA of your own, trust the CA in the system's store, on Linux by SSL_CERT_FILE as well; -SkipCertificateCheck goes on without knowing who answers.";
    private const string SpeakPlainly = "Name it with http://, and with -AllowUnencrypted where it is another machine, or give the port where it speaks https.";
    private const string Negotiate = "Leave out -SslProtocol, or name a version that the server has; one that lets in only whom it knows wants a client certificate, by -Certificate.";
    private const string ShowCertificate = "Give a client certificate with its private key by -Certificate.";

    /// <summary>The words of .NET and of .NET Framework for bytes that are no TLS; no exception tells it otherwise.</summary>
    private static readonly string[] ForeignBytes = ["corrupted frame", "unexpected packet format"];

    /// <summary>What servers say to a client without a certificate, or with one that they do not know.</summary>
    private static readonly string[] CertificateAlerts = ["certificate required", "alert bad certificate", "alert certificate unknown", "alert unknown ca"];

    private NoAnswer(string what, string? remedy = null)
    {
        What = what;
        Remedy = remedy;
    }

    /// <summary>A sentence without its end.</summary>
    public string What { get; }

    /// <summary>What to do; <see langword="null"/> where no more is known than that nothing came.</summary>
    public string? Remedy { get; }

    /// <summary>What kind of fault it is.</summary>
    public ModelFault Fault { get; private init; } = ModelFault.RegistryUnreachable;

    /// <summary>Whether the next attempt may get one.</summary>
    public bool IsTransient { get; private init; } = true;

    /// <summary>What a proxy answered in the server's place.</summary>
    public int? Status { get; private init; }

    /// <summary>Nothing came for as long as is allowed.</summary>
    public static NoAnswer Within(TimeSpan limit, Uri address, ProxyRoute proxies)
    {
        string time = $"{limit.TotalSeconds:0.#} seconds";
        return proxies.Find(address) is { } proxy && !proxies.WasReached(proxy)
            ? new NoAnswer($"The proxy {Show(proxy)} cannot be reached (no connection within {time})", OtherProxy(proxies))
            : new NoAnswer($"{Show(address)} gave no answer within {time}{By(proxies.Find(address))}");
    }

    /// <summary>A connection failed.</summary>
    public static NoAnswer Of(Exception e, Uri address, ProxyRoute proxies)
    {
        Uri? proxy = proxies.Find(address);
        if (proxy is not null && IsRefusal(e, out int? status))
        {
            return OfProxy(status, address, proxies);
        }

        if (e is HttpRequestException && ReasonOf(e, out bool isOfTls) is { } reason && isOfTls)
        {
            // A proxy that is itself reached by https has a certificate, too, and .NET does not tell which of the two it is about.
            return OfTls(reason, proxy?.Scheme == "https" ? $"The proxy {Show(proxy)}, or {Show(address)} behind it," : Show(address));
        }

        reason = ReasonOf(e, out _);
        return proxy is not null && IsOfConnecting(e) ? new NoAnswer($"The proxy {Show(proxy)} cannot be reached ({reason})", OtherProxy(proxies))
            : e is HttpRequestException ? new NoAnswer($"{Show(address)} cannot be reached{By(proxy)} ({reason})")
            : new NoAnswer($"{Show(address)} broke the connection off{By(proxy)} ({reason})");
    }

    /// <summary>A proxy answered in the server's place.</summary>
    public static NoAnswer OfProxy(int? status, Uri address, ProxyRoute proxies)
    {
        Uri proxy = proxies.Find(address)!;
        string told = status is { } number ? $" ({number.ToString(CultureInfo.InvariantCulture)})" : string.Empty;
        bool isKnown = proxies.Proxy!.Credentials?.GetCredential(proxy, "Basic") is not null;
        return status switch
        {
            407 when isKnown => new NoAnswer($"The proxy {Show(proxy)} refuses the credentials that it was shown{told}", proxies.IsExplicit ? "Correct what is given by -ProxyCredential." : "Correct the user and the password in the proxy settings, or give -Proxy and -ProxyCredential.") { IsTransient = false, Status = status },
            407 => new NoAnswer($"The proxy {Show(proxy)} refuses whom it does not know{told}", $"Give a user and a password by -ProxyCredential{(proxies.IsExplicit ? string.Empty : ", and -Proxy with it")}.") { IsTransient = false, Status = status },
            >= 500 => new NoAnswer($"The proxy {Show(proxy)} cannot reach {address.Authority}{told}", $"Check the name's host. {OtherProxy(proxies)}") { Status = status },
            _ => new NoAnswer($"The proxy {Show(proxy)} refuses to lead to {address.Authority}{told}", $"Ask whoever runs the proxy to allow it. {OtherProxy(proxies)}") { IsTransient = false, Status = status },
        };
    }

    private static NoAnswer OfTls(string reason, string who) =>
        Array.Exists(CertificateAlerts, alert => reason.Contains(alert)) ? new NoAnswer($"{who} wants a client certificate, or another one ({reason})", ShowCertificate) { Fault = ModelFault.AuthenticationFailed, IsTransient = false }
        : Array.Exists(ForeignBytes, words => reason.Contains(words)) ? new NoAnswer($"{who} answers in plain http, or in something else that is not https", SpeakPlainly) { IsTransient = false }
        : reason.StartsWith("The remote certificate", StringComparison.Ordinal) ? new NoAnswer($"{who} shows a certificate that is not trusted here ({reason})", TrustIt) { IsTransient = false }
        : new NoAnswer($"{who} does not agree with this machine on how to encrypt ({reason})", Negotiate) { IsTransient = false };

    /// <summary>The innermost message of a failure of TLS; else that of what the handler wraps. A socket's own message may end with an
    /// address that nobody gave: that of the host, in the form of IPv6.</summary>
    private static string ReasonOf(Exception e, out bool isOfTls)
    {
        isOfTls = false;
        Exception last = e;
        for (Exception? inner = e; inner is not null; last = inner, inner = inner.InnerException)
        {
            isOfTls |= inner is AuthenticationException || inner is WebException { Status: WebExceptionStatus.TrustFailure or WebExceptionStatus.SecureChannelFailure };
        }

        // A server that works with TLS 1.3 says only after the handshake that it wants a certificate.
        isOfTls |= Array.Exists(CertificateAlerts, alert => last.Message.Contains(alert));
        Exception told = isOfTls ? last : e is HttpRequestException ? e.InnerException ?? e : e;
        return told is SocketException socket ? new SocketException((int)socket.SocketErrorCode).Message : OutsideText.Of(told.Message);
    }

#if NET
    /// <summary>The handler tells the status of a tunnel that is refused in words alone.</summary>
    private static bool IsRefusal(Exception e, out int? status)
    {
        bool isOne = e is HttpRequestException { HttpRequestError: HttpRequestError.ProxyTunnelError };
        status = isOne && Regex.Match(e.Message, @"'(\d{3})'") is { Success: true } match ? int.Parse(match.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture) : null;
        return isOne;
    }

    private static bool IsOfConnecting(Exception e) =>
        e is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError };
#else
    private static bool IsRefusal(Exception e, out int? status)
    {
        status = (e.InnerException as WebException)?.Response is HttpWebResponse response ? (int)response.StatusCode : null;
        return status is not null;
    }

    private static bool IsOfConnecting(Exception e) =>
        e.InnerException is WebException { Status: WebExceptionStatus.ConnectFailure or WebExceptionStatus.ProxyNameResolutionFailure };
#endif

    private static string OtherProxy(ProxyRoute proxies) =>
        $"{(proxies.IsExplicit ? "Correct the address given with -Proxy" : "Correct the proxy settings (http_proxy, https_proxy and no_proxy, or the system's), name another proxy with -Proxy")}, or go without one by -NoProxy.";

    private static string By(Uri? proxy) => proxy is null ? string.Empty : $" by the proxy {Show(proxy)}";

    private static string Show(Uri address) => OutsideText.Of($"{address.Scheme}://{address.Authority}");
}
