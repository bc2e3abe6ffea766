using System.Net.Http;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using PSModel.Core.Faults;
using PSModel.Core.Names;
using PSModel.Core.Registry;

namespace PSModel.Core.Authentication;

/// <summary>
/// Asks the token service of a registry for a token, as the distribution specification has it: by GET, anonymous or as a user, or
/// by POST with an identity token; or as Ollama has it, by GET with a signature. Stateless and thread-safe.
/// </summary>
/// <param name="send">Sends one request and reads its answer, following no redirect.</param>
internal sealed class TokenService(Func<HttpRequestMessage, CancellationToken, TokenAnswer> send)
{
    private const string ClientId = "PSModel";

    /// <summary>Of service and scope, which go into an address.</summary>
    private const int LongestScope = 4096;

    /// <summary>What the specification says of a token whose service does not tell.</summary>
    private static readonly TimeSpan UsualLife = TimeSpan.FromSeconds(60);

    /// <summary>Asks for a token; blocks.</summary>
    /// <param name="registry">The registry that asked for one.</param>
    /// <param name="challenge">How it asked.</param>
    /// <param name="credential">Who asks; <see langword="null"/> for anybody.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.UntrustedRealm"/>, <see cref="ModelFault.AuthenticationFailed"/>, or
    /// a fault of the network.</exception>
    public AccessToken Ask(Uri registry, AuthChallenge challenge, RegistryCredential? credential, CancellationToken cancellationToken)
    {
        Uri realm = RealmOf(registry, challenge);
        using HttpRequestMessage message = credential?.Kind == CredentialKind.IdentityToken ? Post(realm, challenge, credential) : Get(realm, challenge, credential);
        string refusal = credential is null ? "gives no token without credentials" : "does not take the credentials that it was shown";
        return Send(message, registry, realm, refusal, cancellationToken);
    }

    /// <summary>Asks for a token as Ollama does, by a signature; blocks.</summary>
    /// <param name="registry">The registry that asked for one.</param>
    /// <param name="challenge">How it asked.</param>
    /// <param name="key">Who asks.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ModelFaultException">As of the other way.</exception>
    public AccessToken AskSigned(Uri registry, AuthChallenge challenge, OllamaKey key, CancellationToken cancellationToken)
    {
        Uri realm = RealmOf(registry, challenge);
        using HttpRequestMessage message = new(HttpMethod.Get, OllamaSignature.AddressOf(realm, challenge.Service, Scopes(challenge)));
        message.Headers.TryAddWithoutValidation("Authorization", key.HeaderFor(OllamaSignature.TextOf(message.RequestUri!)));
        return Send(message, registry, realm, "does not take what Ollama's key signed", cancellationToken);
    }

    /// <summary>Whether a fault is that a service does not give a token to whom it was shown.</summary>
    public static bool IsRefusal(ModelFaultException fault) => fault is { Fault: ModelFault.AuthenticationFailed, Facts.StatusCode: 400 or 401 or 403 };

    private AccessToken Send(HttpRequestMessage message, Uri registry, Uri realm, string refusal, CancellationToken cancellationToken)
    {
        TokenAnswer answer = send(message, cancellationToken);
        FaultFacts facts = new() { Uri = OutsideText.Of(realm), StatusCode = answer.Status };
        string service = $"The token service {OutsideText.Of(realm)} of the registry {registry.Authority}";
        return answer.Status switch
        {
            200 => Read(answer.Body, service, facts),
            400 or 401 or 403 => throw new ModelFaultException(ModelFault.AuthenticationFailed, $"{service} {refusal} ({answer.Status}).", facts),
            var status => throw new ModelFaultException(ModelFault.UnexpectedStatus, $"{service} answered {status}.", facts)
            {
                IsTransient = StatusFault.IsTransient(status),
                RetryAfter = answer.RetryAfter,
            },
        };
    }

    /// <summary>Whether a challenge names a token service.</summary>
    public static bool IsAddress(string? realm) => AddressText.TryRead(realm, out Uri? address) && address.Scheme is "https" or "http" && AddressText.IsReadable(address);

    /// <summary>Anybody on the way could read the token, and credentials with it, on a way that is not encrypted. Of a registry
    /// elsewhere a service within this machine is none.</summary>
    private static Uri RealmOf(Uri registry, AuthChallenge challenge)
    {
        string shown = OutsideText.Of(challenge.Realm);
        FaultFacts facts = new() { Uri = shown };
        bool isRead = AddressText.TryRead(challenge.Realm, out Uri? realm);
        if (!isRead || realm!.UserInfo.Length > 0 || challenge.Scope?.Length > LongestScope || challenge.Service?.Length > LongestScope)
        {
            throw new ModelFaultException(ModelFault.UntrustedRealm, $"The registry {registry.Authority} names '{shown}' as its token service in a way that is not usual.", facts);
        }

        return realm.Scheme == "https" || (AddressText.IsLoopback(realm) && AddressText.IsLoopback(registry))
            ? realm
            : throw new ModelFaultException(ModelFault.UntrustedRealm, $"The registry {registry.Authority} names {shown} as its token service, which is not encrypted.", facts);
    }

    private static HttpRequestMessage Get(Uri realm, AuthChallenge challenge, RegistryCredential? credential)
    {
        IEnumerable<string> query = new[] { realm.Query.TrimStart('?'), Pair("service", challenge.Service) }
            .Concat(Scopes(challenge).Select(scope => Pair("scope", scope)))
            .Append(credential is null ? string.Empty : Pair("account", credential.User));
        HttpRequestMessage message = new(HttpMethod.Get, new UriBuilder(realm) { Query = string.Join("&", query.Where(part => part.Length > 0)) }.Uri);
        if (credential is { Kind: CredentialKind.Password })
        {
            message.Headers.Authorization = AuthenticationHeaderValue.Parse(BasicHeader(credential));
        }

        return message;
    }

    private static HttpRequestMessage Post(Uri realm, AuthChallenge challenge, RegistryCredential credential)
    {
        string form = string.Join("&", new[]
        {
            Pair("grant_type", "refresh_token"),
            Pair("service", challenge.Service),
            Pair("client_id", ClientId),
            Pair("scope", string.Join(" ", Scopes(challenge))),
            Pair("refresh_token", credential.Secret),
        }.Where(part => part.Length > 0));
        return new HttpRequestMessage(HttpMethod.Post, realm) { Content = new StringContent(form, Encoding.ASCII, "application/x-www-form-urlencoded") };
    }

    /// <summary>The header by which a user names himself.</summary>
    public static string BasicHeader(RegistryCredential credential) =>
        $"{AuthChallenge.Basic} {Convert.ToBase64String(Encoding.UTF8.GetBytes($"{credential.User}:{credential.Secret}"))}";

    private static string[] Scopes(AuthChallenge challenge) => (challenge.Scope ?? string.Empty).Split([' '], StringSplitOptions.RemoveEmptyEntries);

    private static string Pair(string name, string? value) => string.IsNullOrEmpty(value) ? string.Empty : $"{name}={Uri.EscapeDataString(value)}";

    private static AccessToken Read(byte[] body, string service, FaultFacts facts)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(body);
            JsonElement root = document.RootElement;
            string? token = Text(root, "token") ?? Text(root, "access_token");
            TimeSpan life = root.TryGetProperty("expires_in", out JsonElement seconds) && seconds.ValueKind == JsonValueKind.Number && seconds.TryGetDouble(out double told) && told is > 0 and < 1e9
                ? TimeSpan.FromSeconds(told)
                : UsualLife;
            if (token is not null && token.All(c => c is > ' ' and <= '~'))
            {
                return new AccessToken($"{AuthChallenge.Bearer} {token}", life);
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // What came may be a token, and so may what the parser says of it.
        }

        throw new ModelFaultException(ModelFault.AuthenticationFailed, $"{service} answered with something else than a token.", facts);
    }

    private static string? Text(JsonElement root, string property) =>
        root.TryGetProperty(property, out JsonElement value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text ? text : null;
}
