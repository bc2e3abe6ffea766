using System.Net.Http;
using PSModel.Core.Faults;
using PSModel.Core.Names;
using PSModel.Core.Registry;

namespace PSModel.Core.Authentication;

/// <summary>
/// Says what a registry is shown with each request, and answers where it asks for something else. Nothing is shown to another host
/// than the registry's, nor on a way that others can read. Thread-safe: many connections that are refused at a time ask for one
/// token.
/// </summary>
internal sealed class Authorizer(CredentialFinder credentials, TokenService tokens, OllamaScheme scheme)
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    /// <summary>The parts of an address of the distribution specification that follow the repository's name.</summary>
    private static readonly string[] Ends = ["/manifests/", "/blobs/", "/tags/"];

    private readonly Dictionary<string, Grant> _grants = new(StringComparer.Ordinal);

    /// <summary>What goes into the header of a request; <see langword="null"/> for nothing.</summary>
    /// <param name="registry">The registry that is asked; <see langword="null"/> where it is none.</param>
    /// <param name="address">Where the request goes: redirects may lead away.</param>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.UnencryptedRefused"/>.</exception>
    public string? HeaderFor(RegistryAddress? registry, Uri address)
    {
        if (registry is null || !KnownHosts.AreOne(registry.Address, address))
        {
            return null;
        }

        if (credentials.FindToken(registry) is { } token)
        {
            RequirePrivate(address);
            return BearerHeader(token);
        }

        return GrantOf(address).Current is { HasExpired: false } current ? current.Header : null;
    }

    /// <summary>Looks for something else to show after an answer 401; blocks.</summary>
    /// <param name="query">What is asked.</param>
    /// <param name="address">Where the request went.</param>
    /// <param name="sent">What was shown.</param>
    /// <param name="response">The answer.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>What goes into the header of the same request, empty for nothing; <see langword="null"/> where all has been shown.</returns>
    /// <exception cref="ModelFaultException">The token service cannot be asked, or refuses.</exception>
    public string? Renew(HttpQuery query, Uri address, string? sent, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (query.Registry is not { } registry || !KnownHosts.AreOne(registry.Address, address))
        {
            return null;
        }

        if (credentials.FindToken(registry) is not null || (sent is not null && IsLeftToken(registry, sent)))
        {
            return credentials.Refuse(registry) ? string.Empty : null;
        }

        Grant grant = GrantOf(address);
        while (!Monitor.TryEnter(grant, Look))
        {
            cancellationToken.ThrowIfCancellationRequested();
        }

        try
        {
            if (grant.Current is not { HasExpired: false } current || current.Header == sent)
            {
                // Whoever waited for an ask that failed would else ask again in its turn, and a dead service fail each after its time.
                grant.ThrowSince(query.Since);
                Find(grant, registry, address, response, cancellationToken);
            }

            return grant.Current is { } found && found.Header != sent ? found.Header : null;
        }
        finally
        {
            Monitor.Exit(grant);
        }
    }

    private void Find(Grant grant, RegistryAddress registry, Uri address, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            grant.Current = Find(registry, address, response, cancellationToken);
        }
        catch (ModelFaultException e)
        {
            throw grant.Fail(e);
        }
    }

    private bool IsLeftToken(RegistryAddress registry, string sent) => credentials.FindLeftToken(registry) is { } left && BearerHeader(left) == sent;

    private AccessToken? Find(RegistryAddress registry, Uri address, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        IReadOnlyList<AuthChallenge> challenges = AuthChallenge.ReadAll(response);
        RegistryCredential? credential = credentials.Find(registry, cancellationToken);
        if (credential?.Kind == CredentialKind.Token)
        {
            RequirePrivate(address);
            return new AccessToken(BearerHeader(credential), life: null);
        }

        // A realm may also be no more than words for people.
        if (challenges.FirstOrDefault(challenge => challenge.IsOf(AuthChallenge.Bearer) && TokenService.IsAddress(challenge.Realm)) is { } bearer)
        {
            RequirePrivate(address);
            return Ask(registry, address, bearer, credential, cancellationToken);
        }

        if (credential?.Kind == CredentialKind.Password && challenges.Any(challenge => challenge.IsOf(AuthChallenge.Basic)))
        {
            RequirePrivate(address);
            return new AccessToken(TokenService.BasicHeader(credential), life: null);
        }

        return null;
    }

    private AccessToken Ask(RegistryAddress registry, Uri address, AuthChallenge challenge, RegistryCredential? credential, CancellationToken cancellationToken)
    {
        if (credential is not null)
        {
            try
            {
                return tokens.Ask(address, challenge, credential, cancellationToken);
            }
            catch (ModelFaultException e) when (TokenService.IsRefusal(e) && credentials.Refuse(registry))
            {
                // It is asked without.
            }
        }

        return scheme.Ask(registry, address, challenge, cancellationToken);
    }

    private Grant GrantOf(Uri address)
    {
        string path = address.AbsolutePath;
        int end = Ends.Max(part => path.LastIndexOf(part, StringComparison.Ordinal));
        string repository = $"{address.Scheme}://{address.Authority}{(end < 0 ? path : path.Substring(0, end))}";
        lock (_grants)
        {
            if (!_grants.TryGetValue(repository, out Grant? grant))
            {
                _grants[repository] = grant = new Grant();
            }

            return grant;
        }
    }

    private static string BearerHeader(RegistryCredential token) => $"{AuthChallenge.Bearer} {token.Secret}";

    private static void RequirePrivate(Uri address)
    {
        if (!AddressText.IsPrivate(address))
        {
            throw new ModelFaultException(
                ModelFault.UnencryptedRefused,
                $"The registry {address.Authority} wants credentials, and they would go over plain http, where anybody on the way can read them.",
                new FaultFacts { Uri = OutsideText.Of(address), Remedy = "Reach the registry by https." });
        }
    }
}
