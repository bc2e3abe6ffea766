using PSModel.Core.Faults;

namespace PSModel.Core.Authentication;

/// <summary>
/// Asks for a token where nobody gave or left credentials: as anybody, or by Ollama's scheme, in which the key of Ollama's user signs
/// what is asked. A signature goes to the registry's own host alone. Thread-safe.
/// </summary>
internal sealed class OllamaScheme(TokenService tokens, OllamaKeyFile file)
{
    /// <summary>Asks for a token; blocks.</summary>
    /// <param name="registry">The registry.</param>
    /// <param name="address">Where the request went that it refused.</param>
    /// <param name="challenge">How it asked for a token; its realm is an address.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ModelFaultException">The service cannot be asked, or refuses.</exception>
    public AccessToken Ask(RegistryAddress registry, Uri address, AuthChallenge challenge, CancellationToken cancellationToken)
    {
        bool isOfOllama = KnownHosts.IsOfOllama(address);
        Uri realm = new(challenge.Realm!);
        if (!KnownHosts.AreOne(address, realm))
        {
            return !isOfOllama ? tokens.Ask(address, challenge, credential: null, cancellationToken) : throw new ModelFaultException(
                ModelFault.UntrustedRealm,
                $"The registry {address.Authority} names {OutsideText.Of(realm)} as its token service, and by Ollama's scheme that is on the registry's own host.",
                new FaultFacts { Uri = OutsideText.Of(realm) });
        }

        return isOfOllama ? AskByKey(address, challenge, cancellationToken) : AskAsAnybody(registry, address, challenge, cancellationToken);
    }

    /// <summary>A registry of Ollama's expects a signature; a key that it does not know must not keep anybody from what is open to
    /// all.</summary>
    private AccessToken AskByKey(Uri address, AuthChallenge challenge, CancellationToken cancellationToken)
    {
        ModelFaultException? refusal = null;
        if (file.TryRead(out KeyProblem? problem) is { } key)
        {
            try
            {
                return tokens.AskSigned(address, challenge, key, cancellationToken);
            }
            catch (ModelFaultException e) when (TokenService.IsRefusal(e))
            {
                refusal = Refused(e);
            }
        }

        try
        {
            return tokens.Ask(address, challenge, credential: null, cancellationToken);
        }
        catch (ModelFaultException e) when (TokenService.IsRefusal(e))
        {
            throw refusal ?? Explained(e, problem!);
        }
    }

    /// <summary>A registry of one's own may speak the scheme. That shows nowhere, so it is tried where the registry refuses anybody; and
    /// not for one that only a store names: it would learn who asks.</summary>
    private AccessToken AskAsAnybody(RegistryAddress registry, Uri address, AuthChallenge challenge, CancellationToken cancellationToken)
    {
        try
        {
            return tokens.Ask(address, challenge, credential: null, cancellationToken);
        }
        catch (ModelFaultException e) when (TokenService.IsRefusal(e) && registry.IsNamed)
        {
            if (file.TryRead(out KeyProblem? problem) is not { } key)
            {
                throw problem!.IsMissing ? e : Explained(e, problem);
            }

            try
            {
                return tokens.AskSigned(address, challenge, key, cancellationToken);
            }
            catch (ModelFaultException refused) when (TokenService.IsRefusal(refused))
            {
                throw Refused(e);
            }
        }
    }

    private ModelFaultException Refused(ModelFaultException fault) => With(
        fault,
        $"It was asked with a signature by the key of Ollama, '{file.Path}', too.",
        $"Add the key's public half, '{file.Path}.pub', to your account there; or give credentials by -Credential or -Token, or sign in with docker login.");

    private static ModelFaultException Explained(ModelFaultException fault, KeyProblem problem) => With(
        fault,
        $"Nothing could be signed for it: {problem.What}.",
        $"{problem.Remedy} Or give credentials by -Credential or -Token, or sign in with docker login.");

    private static ModelFaultException With(ModelFaultException fault, string more, string remedy) => new(
        fault.Fault,
        $"{fault.Message} {more}",
        new FaultFacts { Uri = fault.Facts.Uri, StatusCode = fault.Facts.StatusCode, Remedy = remedy },
        fault);
}
