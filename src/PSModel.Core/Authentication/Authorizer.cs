using System.Net.Http;
using PSModel.Core.Faults;
using PSModel.Core.Names;

namespace PSModel.Core.Authentication;

/// <summary>
/// Says what a registry is shown with each request, and answers where it asks for something else. Nothing is shown to another host
/// than the registry's, nor on a way that others can read. Thread-safe: many connections that are refused at a time ask for one
/// token.
/// </summary>
internal sealed class Authorizer(CredentialFinder credentials, TokenService tokens)
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
    /// <param name="registry">The registry that is asked; <see langword="null"/> where it is none.</param>
    /// <param name="address">Where the request went.</param>
    /// <param name="sent">What was shown.</param>
    /// <param name="response">The answer.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>What goes into the header of the same request, empty for nothing; <see langword="null"/> where all has been shown.</returns>
    /// <exception cref="ModelFaultException">The token service cannot be asked, or refuses.</exception>
    public string? Renew(RegistryAddress? registry, Uri address, string? sent, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (registry is null || !KnownHosts.AreOne(registry.Address, address))
        {
            return null;
        }

        if (credentials.FindToken(registry) is not null)
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
                grant.Current = Find(registry, address, response, cancellationToken);
            }

            return grant.Current is { } found && found.Header != sent ? found.Header : null;
        }
        finally
        {
            Monitor.Exit(grant);
        }
    }

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
        try
        {
            return tokens.Ask(address, challenge, credential, cancellationToken);
        }
        catch (ModelFaultException e) when (e.Fault == ModelFault.AuthenticationFailed && credential is not null && credentials.Refuse(registry))
        {
            return tokens.Ask(address, challenge, credential: null, cancellationToken);
        }
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

    /// <summary>What a registry was last shown for a repository, and took.</summary>
    private sealed class Grant
    {
        private volatile AccessToken? _current;

        public AccessToken? Current
        {
            get => _current;
            set => _current = value;
        }
    }
}
