using PSModel.Loopback;

namespace PSModel.TestParts;

/// <summary>Makes a registry of the tests one that lets in who signs by Ollama's scheme, as OpenSSL verifies, and nobody else. Its token
/// service is its own. Thread-safe.</summary>
public sealed class OllamaVerifier
{
    private readonly LoopbackRegistry _registry;
    private readonly SshKey _key;
    private readonly string _token = $"token-{Guid.NewGuid():N}";

    public OllamaVerifier(LoopbackRegistry registry, SshKey key)
    {
        _registry = registry;
        _key = key;
        Realm = new Uri(registry.Address, "/token");
        registry.Fault = Answer;
    }

    /// <summary>What it names as its token service.</summary>
    public Uri Realm { get; set; }

    /// <summary>What asked it for a token.</summary>
    public IReadOnlyList<LoopbackRequest> Asked => [.. _registry.Requests.Where(IsToken)];

    /// <summary>The signatures that it saw.</summary>
    public IEnumerable<string> Signatures => Asked.Select(request => request.Headers.GetValueOrDefault("authorization")).Where(header => header is not null).Select(header => header!.Split(':')[^1]);

    private void Answer(LoopbackRequest request, LoopbackAnswer answer)
    {
        string? header = request.Headers.GetValueOrDefault("authorization");
        if (IsToken(request))
        {
            bool isRight = _key.IsAsked(new Uri(Realm, request.Path), header);
            answer.Become(isRight ? 200 : 401, isRight ? $"{{\"token\":\"{_token}\"}}" : "{}", "application/json");
        }
        else if (header != $"Bearer {_token}")
        {
            answer.Become(401, "{}", "application/json");
            answer.Headers["WWW-Authenticate"] = $"Bearer realm=\"{Realm}\",service=\"{Realm.Host}\",scope=\"repository:library/demo:pull\"";
        }
    }

    private static bool IsToken(LoopbackRequest request) => request.Path.StartsWith("/token", StringComparison.Ordinal);
}
