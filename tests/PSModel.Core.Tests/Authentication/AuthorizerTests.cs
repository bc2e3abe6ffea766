using System.Net;
using System.Net.Http;
using System.Text;
using PSModel.Core.Authentication;
using PSModel.Core.Faults;
using PSModel.Core.Registry;

namespace PSModel.Core.Tests.Authentication;

/// <summary>What is shown to whom, and how often a token is asked for.</summary>
public sealed class AuthorizerTests
{
    private static readonly Uri Blob = new("https://registry.example/v2/library/demo/blobs/sha256:0");
    private static readonly RegistryAddress Named = new(new Uri("https://registry.example"), IsNamed: true);

    private int _asked;

    [Fact]
    public void Connections_that_are_refused_at_the_same_time_get_one_token()
    {
        Authorizer authorizer = Make(RegistryCredential.OfUser("me", "word"));
        string?[] shown = [.. Enumerable.Range(0, 16).AsParallel().WithDegreeOfParallelism(16).Select(_ => Renew(authorizer, Blob, sent: null))];
        Assert.Equal(["Bearer token-1"], shown.Distinct());
        Assert.Equal(1, _asked);
        Assert.Equal("Bearer token-1", authorizer.HeaderFor(Named, Blob));
        Assert.Equal("Bearer token-2", Renew(authorizer, Blob, sent: "Bearer token-1"));
    }

    [Fact]
    public void Each_repository_has_its_own()
    {
        Authorizer authorizer = Make(null);
        Renew(authorizer, Blob, sent: null);
        Assert.Null(authorizer.HeaderFor(Named, new Uri("https://registry.example/v2/library/other/manifests/latest")));
        Assert.Null(authorizer.HeaderFor(Named, new Uri("https://registry.example:444/v2/library/demo/manifests/latest")));
        Assert.NotNull(authorizer.HeaderFor(Named, new Uri("https://registry.example/v2/library/demo/manifests/latest")));
    }

    [Theory]
    [InlineData("https://other.example/v2/library/demo/blobs/sha256:0")]
    [InlineData("https://registry.example.evil/v2/library/demo/blobs/sha256:0")]
    [InlineData("https://registry.example:444/v2/library/demo/blobs/sha256:0")]
    [InlineData("http://registry.example/v2/library/demo/blobs/sha256:0")]
    public void Another_place_is_shown_nothing_and_not_answered(string address)
    {
        Authorizer authorizer = Make(RegistryCredential.OfToken("word"));
        Assert.Equal("Bearer word", authorizer.HeaderFor(Named, Blob));
        Assert.Null(authorizer.HeaderFor(Named, new Uri(address)));
        Assert.Null(Renew(authorizer, new Uri(address), sent: null));
        Assert.Equal(0, _asked);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Nothing_goes_over_plain_http_to_another_machine(bool isToken)
    {
        RegistryAddress plain = new(new Uri("http://registry.example"), IsNamed: true);
        Uri address = new("http://registry.example/v2/library/demo/manifests/latest");
        Authorizer authorizer = Make(isToken ? RegistryCredential.OfToken("word") : RegistryCredential.OfUser("me", "word"));
        ModelFaultException fault = Assert.Throws<ModelFaultException>(() => authorizer.HeaderFor(plain, address) ?? Renew(authorizer, address, null, plain, "Basic realm=\"x\""));
        Assert.Equal(ModelFault.UnencryptedRefused, fault.Fault);
        Assert.Equal(0, _asked);
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public void Credentials_that_nobody_gave_and_that_are_stale_keep_nobody_from_what_is_open(bool isGiven, bool isOpen)
    {
        using TestParts.TemporaryFolder home = new();
        Directory.CreateDirectory(Path.Combine(home.Path, ".docker"));
        File.WriteAllText(Path.Combine(home.Path, ".docker", "config.json"), "{\"auths\":{\"registry.example\":{\"auth\":\"bWU6c3RhbGU=\"}}}");
        List<string> told = [];
        CredentialFinder finder = new(isGiven ? RegistryCredential.OfUser("me", "stale") : null, _ => null, home.Path, told.Add);
        Authorizer authorizer = Make(finder, (message, token) => message.Headers.Authorization is null ? Answer(message, token) : new TokenAnswer(401, []));
        if (isOpen)
        {
            Assert.Equal("Bearer token-1", Renew(authorizer, Blob, sent: null));
            Assert.Contains("refused", Assert.Single(told), StringComparison.Ordinal);
        }
        else
        {
            Assert.Equal(ModelFault.AuthenticationFailed, Assert.Throws<ModelFaultException>(() => Renew(authorizer, Blob, sent: null)).Fault);
        }
    }

    [Fact]
    public void A_stale_token_of_Hugging_Face_is_left_out_once_it_was_refused()
    {
        RegistryAddress face = new(new Uri("https://hf.co"), IsNamed: true);
        Uri address = new("https://huggingface.co/v2/me/model/manifests/latest");
        Authorizer authorizer = Make(new CredentialFinder(null, name => name == "HF_TOKEN" ? "stale" : null, string.Empty, _ => { }), Answer);
        Assert.Equal("Bearer stale", authorizer.HeaderFor(face, address));
        Assert.Equal(string.Empty, Renew(authorizer, address, "Bearer stale", face, "Bearer realm=\"Authentication required\", charset=\"UTF-8\""));
        Assert.Null(authorizer.HeaderFor(face, address));
        Assert.Null(Renew(authorizer, address, null, face, "Bearer realm=\"Authentication required\", charset=\"UTF-8\""));
    }

    [Fact]
    public void Connections_that_showed_it_at_the_same_time_all_go_on_without_it()
    {
        RegistryAddress face = new(new Uri("https://hf.co"), IsNamed: true);
        Uri address = new("https://huggingface.co/v2/me/model/blobs/sha256:0");
        List<string> told = [];
        Authorizer authorizer = Make(new CredentialFinder(null, name => name == "HF_TOKEN" ? "stale" : null, string.Empty, told.Add), Answer);
        string?[] shown = [.. Enumerable.Range(0, 4).Select(_ => authorizer.HeaderFor(face, address))];
        Assert.Equal([string.Empty], shown.Select(header => Renew(authorizer, address, header, face, "Bearer realm=\"Authentication required\"")).Distinct());
        Assert.Single(told);
    }

    [Fact]
    public void So_do_repositories_that_a_stale_password_is_left_for()
    {
        using TestParts.TemporaryFolder home = new();
        Directory.CreateDirectory(Path.Combine(home.Path, ".docker"));
        File.WriteAllText(Path.Combine(home.Path, ".docker", "config.json"), "{\"auths\":{\"registry.example\":{\"auth\":\"bWU6c3RhbGU=\"}}}");
        using Barrier both = new(2);
        Authorizer authorizer = Make(
            new CredentialFinder(null, _ => null, home.Path, _ => { }),
            (message, token) =>
            {
                bool isShown = message.Headers.Authorization is not null;
                Assert.True(!isShown || both.SignalAndWait(TimeSpan.FromSeconds(60), token));
                return isShown ? new TokenAnswer(401, []) : Answer(message, token);
            });
        Uri[] blobs = [Blob, new Uri("https://registry.example/v2/library/other/blobs/sha256:0")];
        Assert.All(blobs.AsParallel().WithDegreeOfParallelism(2).Select(blob => Renew(authorizer, blob, sent: null)).ToArray(), Assert.NotNull);
    }

    [Fact]
    public void Those_that_waited_for_an_ask_that_failed_share_its_fault_and_later_ones_ask_again()
    {
        const int Connections = 8;
        using CountdownEvent begun = new(Connections);
        bool isDead = true;
        Authorizer authorizer = Make(
            new CredentialFinder(null, _ => null, Path.GetTempPath(), _ => { }),
            (message, token) =>
            {
                TokenAnswer answer = Answer(message, token);
                Assert.True(begun.Wait(TimeSpan.FromSeconds(60), token));
                return isDead ? new TokenAnswer(503, [], TimeSpan.FromSeconds(7)) : answer;
            });
        using HttpResponseMessage response = new(HttpStatusCode.Unauthorized);
        response.Headers.TryAddWithoutValidation("WWW-Authenticate", "Bearer realm=\"https://auth.example/token\"");
        Exception[] faults = [.. Enumerable.Range(0, Connections).AsParallel().WithDegreeOfParallelism(Connections).Select(_ =>
        {
            HttpQuery query = new(Blob, "*/*", range: null, Named);
            begun.Signal();
            return Record.Exception(() => authorizer.Renew(query, Blob, sent: null, response, CancellationToken.None));
        })];
        Assert.Equal(Connections, faults.Distinct().Count());
        Assert.All(faults, fault => Assert.Equal((true, TimeSpan.FromSeconds(7)), (Assert.IsType<ModelFaultException>(fault).IsTransient, ((ModelFaultException)fault).RetryAfter)));
        Assert.Equal(1, _asked);
        isDead = false;
        Assert.Equal("Bearer token-2", Renew(authorizer, Blob, sent: null));
    }

    [Theory]
    [InlineData("docker.io/ai/demo:8b", "https://registry-1.docker.io/v2/ai/demo/manifests/8b", true)]
    [InlineData("registry.example:443/a/b:x", "https://registry.example/v2/a/b/manifests/x", true)]
    [InlineData("registry.example/a/b:x", "/store/manifests/registry.example/a/b/x", false)]
    public void A_registry_that_only_a_store_names_is_not_named_by_the_call(string text, string source, bool isNamed)
    {
        PSModel.Core.Names.ModelName name = PSModel.Core.Names.ModelName.Parse(text);
        Assert.True(new RegistryEndpoint(name, new()).Registry.IsNamed);
        PSModel.Core.Manifests.Manifest manifest = PSModel.Core.Manifests.ManifestReader.Read(name, source, Encoding.UTF8.GetBytes("{\"schemaVersion\":2,\"layers\":[]}"));
        Assert.Equal(isNamed, RegistryEndpoint.AllOf(manifest, new())[0].Registry.IsNamed);
        Assert.False(RegistryEndpoint.AllOf(name, "https://evil.example", new())[0].Registry.IsNamed);
    }

    private Authorizer Make(RegistryCredential? given) => Make(new CredentialFinder(given, _ => null, Path.GetTempPath(), _ => { }), Answer);

    private static Authorizer Make(CredentialFinder finder, Func<HttpRequestMessage, CancellationToken, TokenAnswer> answer)
    {
        TokenService tokens = new(answer);
        return new Authorizer(finder, tokens, new OllamaScheme(tokens, new OllamaKeyFile(string.Empty, _ => { })));
    }

    private TokenAnswer Answer(HttpRequestMessage message, CancellationToken cancellationToken) =>
        new(200, Encoding.UTF8.GetBytes($"{{\"token\":\"token-{Interlocked.Increment(ref _asked)}\"}}"));

    private static string? Renew(Authorizer authorizer, Uri address, string? sent, RegistryAddress? registry = null, string challenge = "Bearer realm=\"https://auth.example/token\"")
    {
        using HttpResponseMessage response = new(HttpStatusCode.Unauthorized);
        response.Headers.TryAddWithoutValidation("WWW-Authenticate", challenge);
        return authorizer.Renew(new HttpQuery(address, "*/*", range: null, registry ?? Named), address, sent, response, CancellationToken.None);
    }
}
