using PSModel.Loopback;

namespace PSModel.Core.Tests.Authentication;

/// <summary>The registry of the tests as one that wants a token of a service, which it plays too.</summary>
public abstract class TokenRegistryTests : EngineTests
{
    private protected const string Secret = "s3cret-word";

    private readonly List<string> _traced = [];

    /// <summary>The tokens that were given out, the one that counts last.</summary>
    private readonly List<string> _tokens = [];

    private int _uses;

    /// <summary>How often a token may be shown.</summary>
    private protected int UsesOfToken { get; set; } = int.MaxValue;

    private protected string TokenBody { get; set; } = "{\"token\":\"TOKEN\"}";

    private protected static bool IsToken(LoopbackRequest request) => request.Path.StartsWith("/token", StringComparison.Ordinal);

    private protected List<LoopbackRequest> TokenRequests() => [.. Registry.Requests.Where(IsToken)];

    private protected void Trace() => RegistryOptions.Trace = line =>
    {
        lock (_traced)
        {
            _traced.Add(line);
        }
    };

    private protected void NothingShowsSecrets()
    {
        Assert.NotEmpty(_traced);
        Assert.DoesNotContain(_traced.Concat(Watcher.Told), line => line.Contains(Secret, StringComparison.Ordinal) || line.Contains("Bearer", StringComparison.Ordinal));
        Assert.All(Directory.GetFiles(Folder.Path, "*", SearchOption.AllDirectories).Where(path => new FileInfo(path).Length < MB), path => Assert.DoesNotContain(Secret, File.ReadAllText(path), StringComparison.Ordinal));
    }

    /// <summary>Lets nobody in who does not show the token that was given out last, or another one.</summary>
    private protected void Guard(Action<LoopbackRequest, LoopbackAnswer>? more = null, string? realm = null, string? token = null)
    {
        Trace();
        Registry.Fault = (request, answer) =>
        {
            lock (_tokens)
            {
                if (IsToken(request))
                {
                    _tokens.Add($"token-{_tokens.Count}");
                    _uses = 0;
                    answer.Become(200, TokenBody.Replace("TOKEN", _tokens[^1], StringComparison.Ordinal), "application/json");
                }
                else if (request.Headers.GetValueOrDefault("authorization") != $"Bearer {token ?? _tokens.LastOrDefault()}" || _uses++ >= UsesOfToken)
                {
                    answer.Become(401, "{\"errors\":[{\"code\":\"UNAUTHORIZED\"}]}", "application/json");
                    answer.Headers["WWW-Authenticate"] = $"Bearer realm=\"{realm ?? new Uri(Registry.Address, "/token").AbsoluteUri}\",service=\"registry.test\",scope=\"repository:library/demo:pull\"";
                    return;
                }
            }

            more?.Invoke(request, answer);
        };
    }
}
