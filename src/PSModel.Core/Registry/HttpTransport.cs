using System.Globalization;
using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;
using PSModel.Core.Authentication;
using PSModel.Core.Faults;
using PSModel.Core.Names;

namespace PSModel.Core.Registry;

/// <summary>
/// Sends requests over HTTP/1.1 and follows redirects itself, so that an encrypted request never ends up on an
/// unencrypted way. It blocks its caller, as do the bodies that it gives. Thread-safe; connections are pooled and kept until it
/// is disposed of.
/// </summary>
/// <remarks>HTTP/2 would put all ranges of a blob on one TCP connection, which is what several connections are there to
/// avoid.</remarks>
internal sealed class HttpTransport : IDisposable
{
    /// <summary>As many as browsers and curl follow, to the order of magnitude.</summary>
    private const int MaximumRedirects = 10;

    /// <summary>Of what a token service may answer. Tokens have some kilobytes.</summary>
    private const int LongestToken = 256 * 1024;

    private readonly HttpClient _http;
    private readonly RegistryOptions _options;
    private readonly Authorizer _authorizer;
    private readonly ProxyRoute _proxies;

    public HttpTransport(RegistryOptions options)
    {
        _options = options;
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        CredentialFinder credentials = new(options.Credential, Environment.GetEnvironmentVariable, home, Tell);
        TokenService tokens = new(AskForToken);
        _authorizer = new Authorizer(credentials, tokens, new OllamaScheme(tokens, new OllamaKeyFile(home, Tell)));
        _proxies = new ProxyRoute(options);
        _http = new HttpClient(HandlerFactory.Create(options, _proxies)) { Timeout = Timeout.InfiniteTimeSpan };

        void Tell(string message) => options.Trace?.Invoke(message);
    }

    /// <summary>Sends the request that <paramref name="request"/> describes and gives the first answer that is no redirect,
    /// with its headers read and its body still to come.</summary>
    /// <exception cref="ModelFaultException">No answer, or a redirect that must not be followed; or the bytes to send could not be
    /// had.</exception>
    public HttpResponseMessage Ask(HttpQuery request, CancellationToken cancellationToken)
    {
        Uri address = request.Address;
        for (int redirects = 0; redirects <= MaximumRedirects; redirects++)
        {
            HttpResponseMessage response = SendAuthorized(request, address, cancellationToken);
            Uri? next = RedirectTarget(request, response, address);
            if (next is null || request.IsAnswer?.Invoke(next) == true)
            {
                return response;
            }

            response.Dispose();
            RequireTrusted(address, next);
            address = next;
        }

        throw new ModelFaultException(
            ModelFault.UnexpectedStatus,
            $"{OutsideText.Of(request.Address)} leads from one redirect to the next, {MaximumRedirects} times over.",
            new FaultFacts { Uri = OutsideText.Of(request.Address) });
    }

    public void Dispose() => _http.Dispose();

    /// <summary>Sends one request, and where it is refused for want of a token, once more with one. A token that was shown in vain
    /// is left out before another is asked for.</summary>
    private HttpResponseMessage SendAuthorized(HttpQuery query, Uri address, CancellationToken cancellationToken)
    {
        string? shown = _authorizer.HeaderFor(query.Registry, address);
        HttpResponseMessage response = SendOnce(query, address, shown, cancellationToken);
        while (response.StatusCode == HttpStatusCode.Unauthorized && Renew(query, address, shown, response, cancellationToken) is { } renewed)
        {
            response.Dispose();
            shown = renewed.Length > 0 ? renewed : null;
            response = SendOnce(query, address, shown, cancellationToken);
            if (shown is not null)
            {
                break;
            }
        }

        return response;
    }

    private string? Renew(HttpQuery query, Uri address, string? shown, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            return _authorizer.Renew(query, address, shown, response, cancellationToken);
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    private HttpResponseMessage SendOnce(HttpQuery query, Uri address, string? authorization, CancellationToken cancellationToken)
    {
        using RequestPatience patience = new(_options, query.AnswerTime, cancellationToken);
        using HttpRequestMessage message = query.ToMessage(address, authorization, patience);
        try
        {
            return Send(message, $"{query}", patience, cancellationToken);
        }
        catch (ModelFaultException) when (query.Body?.Failure is { } failure)
        {
            throw failure;
        }
    }

    private TokenAnswer AskForToken(HttpRequestMessage message, CancellationToken cancellationToken)
    {
        message.Version = HttpVersion.Version11;
        message.Headers.TryAddWithoutValidation("User-Agent", HttpQuery.UserAgent);
        using RequestPatience patience = new(_options, TimeSpan.Zero, cancellationToken);
        using HttpResponseMessage response = Send(message, "for a token", patience, cancellationToken);
        using BodyStream body = BodyStream.Open(response, _options.OperationTimeout, cancellationToken);
        return new TokenAnswer((int)response.StatusCode, body.ReadAll(LongestToken, _options.OperationTimeout), StatusFault.RetryAfterOf(response));
    }

    private HttpResponseMessage Send(HttpRequestMessage message, string what, RequestPatience patience, CancellationToken cancellationToken)
    {
        Uri address = message.RequestUri!;
        RefuseExposed(message, address);
        HttpResponseMessage response;
        try
        {
            response = Send(message, patience.Token);
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
        catch (Exception e) when (patience.IsStalled && (e is OperationCanceledException || ConnectionFailure.Is(e)))
        {
            throw new ModelFaultException(ModelFault.TransferStalled, $"{OutsideText.Of(address)} took nothing of what is sent for {_options.OperationTimeout.TotalSeconds:0.#} seconds.", new FaultFacts { Uri = OutsideText.Of(address) }, e) { IsTransient = true };
        }
        catch (Exception e) when (e is OperationCanceledException || (patience.Token.IsCancellationRequested && ConnectionFailure.Is(e)))
        {
            throw Unreachable(message, address, NoAnswer.Within(patience.AnswerLimit, address, _proxies), null);
        }
        catch (Exception e) when (ConnectionFailure.Is(e))
        {
            throw Unreachable(message, address, NoAnswer.Of(e, address, _proxies), e);
        }

        if (IsOfProxy(response, address))
        {
            response.Dispose();
            throw Unreachable(message, address, NoAnswer.OfProxy((int)response.StatusCode, address, _proxies), null);
        }

        _options.Trace?.Invoke($"{message.Method} {OutsideText.Of(address)} {what} → {(int)response.StatusCode} {OutsideText.Of(response.Content.Headers.ContentRange?.ToString())}");
        return response;
    }

    private HttpResponseMessage Send(HttpRequestMessage message, CancellationToken cancellationToken)
    {
#if NET
        message.Options.Set(HandlerFactory.RequestToken, cancellationToken);
        return _http.Send(message, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
#else
        return _http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, cancellationToken).GetAwaiter().GetResult();
#endif
    }

    /// <summary>Whether a proxy answers in the server's place. Without encryption any answer may be one of either; squid marks its
    /// own errors.</summary>
    private bool IsOfProxy(HttpResponseMessage response, Uri address)
    {
        bool isMarked = response.StatusCode == HttpStatusCode.ProxyAuthenticationRequired
            || (address.Scheme == "http" && (int)response.StatusCode >= 400 && response.Headers.Contains("X-Squid-Error"));
        return isMarked && _proxies.Find(address) is not null;
    }

    /// <summary>What is within the machine is so no more by way of a proxy elsewhere.</summary>
    private void RefuseExposed(HttpRequestMessage message, Uri address)
    {
        bool isSecret = message.Headers.Contains("Authorization") || message.Content is not null;
        if (_proxies.IsExposed(address) && (isSecret || !_options.AllowUnencrypted))
        {
            throw new ModelFaultException(
                ModelFault.UnencryptedRefused,
                $"{OutsideText.Of(address)} would be reached over plain http by a proxy on another machine, and anybody on the way could read and change what is sent.",
                new FaultFacts { Uri = OutsideText.Of(address), Remedy = $"Leave out -Proxy for what is within this machine{(isSecret ? string.Empty : ", or allow plain http with -AllowUnencrypted")}." });
        }
    }

    private ModelFaultException Unreachable(HttpRequestMessage message, Uri address, NoAnswer why, Exception? inner)
    {
        _options.Trace?.Invoke($"{message.Method} {OutsideText.Of(address)} → none: {why.What}");
        return new ModelFaultException(why.Fault, $"{why.What}.", new FaultFacts { Uri = OutsideText.Of(address), StatusCode = why.Status, Remedy = why.Remedy }, inner)
        {
            IsTransient = why.IsTransient,
        };
    }

    /// <summary>None where it cannot be read: the redirect is then an answer as any other status is.</summary>
    private static Uri? RedirectTarget(HttpQuery query, HttpResponseMessage response, Uri address)
    {
        bool isRedirect = response.StatusCode is HttpStatusCode.TemporaryRedirect or (HttpStatusCode)308
            || (query.IsReading && response.StatusCode is (HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther));
        return isRedirect ? AddressText.TryReadLocation(response, address) : null;
    }

    /// <summary>Refuses to be led from an encrypted way to one that is not.</summary>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.UntrustedRedirect"/>.</exception>
    public void RequireTrusted(Uri from, Uri to)
    {
        bool isAllowed = to.Scheme == "https"
            || (to.Scheme == "http" && from.Scheme == "http" && (AddressText.IsPrivate(to) || _options.AllowUnencrypted));
        if (!isAllowed)
        {
            throw new ModelFaultException(
                ModelFault.UntrustedRedirect,
                string.Format(CultureInfo.InvariantCulture, "{0} redirects to {1}, which is not encrypted.", OutsideText.Of(from), OutsideText.Of(to)),
                new FaultFacts { Uri = OutsideText.Of(to) });
        }
    }
}
