using System.Net;
using System.Net.Http;
using System.Text;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Crypto.Utilities;
using Org.BouncyCastle.Security;
using PSModel.Core.Authentication;
using PSModel.Core.Faults;
using PSModel.Core.Registry;
using PSModel.TestParts;

namespace PSModel.Core.Tests.Authentication;

/// <summary>Who is asked by Ollama's scheme, and when.</summary>
public sealed class OllamaSchemeTests : IDisposable
{
    private readonly TemporaryFolder _home = new();
    private readonly Dictionary<string, string> _variables = [];
    private readonly List<string> _told = [];

    /// <summary>How each was asked for a token.</summary>
    private readonly List<string> _asked = [];

    /// <summary>What a service answers to whom it is asked by.</summary>
    private Func<string, int> Answer { get; set; } = _ => 200;

    private string KeyPath => Path.Combine(_home.Path, ".ollama", "id_ed25519");

    public OllamaSchemeTests()
    {
        byte[] blob = OpenSshPrivateKeyUtilities.EncodePrivateKey(new Ed25519PrivateKeyParameters(new SecureRandom()));
        Directory.CreateDirectory(Path.GetDirectoryName(KeyPath)!);
        File.WriteAllText(KeyPath, $"-----BEGIN OPENSSH PRIVATE KEY-----\n{Convert.ToBase64String(blob)}\n-----END OPENSSH PRIVATE KEY-----\n");
    }

    [Theory]
    [InlineData("https://registry.ollama.ai", "https://ollama.com/token", "key")]
    [InlineData("https://registry.ollama.ai", "https://registry.ollama.ai/token", "key")]
    [InlineData("https://hf.co", "https://huggingface.co/token", "key")]
    [InlineData("https://registry.example", "https://registry.example/token", "nobody")]
    [InlineData("https://registry.example", "https://auth.example/token", "nobody")]
    public void A_registry_of_Ollamas_is_shown_a_signature_and_another_one_nothing(string registry, string realm, string expected)
    {
        Assert.Equal("Bearer word", Renew(registry, realm));
        Assert.Equal([$"{new Uri(realm).Host} {expected}"], _asked);
    }

    [Theory]
    [InlineData("https://registry.ollama.ai", "https://evil.example/token")]
    [InlineData("https://registry.ollama.ai", "https://ollama.com:8443/token")]
    [InlineData("https://registry.ollama.ai", "https://ollama.com.evil.example/token")]
    [InlineData("https://registry.ollama.ai", "https://huggingface.co/token")]
    [InlineData("https://hf.co", "https://ollama.com/token")]
    [InlineData("https://ollama.com", "http://ollama.com/token")]
    public void Nobody_else_is_asked_for_a_registry_of_Ollamas(string registry, string realm)
    {
        ModelFaultException fault = Assert.Throws<ModelFaultException>(() => Renew(registry, realm));
        Assert.Equal(ModelFault.UntrustedRealm, fault.Fault);
        Assert.Empty(_asked);
    }

    [Theory]
    [InlineData("https://registry.example", "https://registry.example/token", true, true)]
    [InlineData("http://127.0.0.1:5000", "http://127.0.0.1:5000/token", true, true)]
    [InlineData("https://registry.example", "https://registry.example/token", false, false)]
    [InlineData("https://registry.example", "https://registry.example:444/token", true, false)]
    [InlineData("https://registry.example", "https://auth.example/token", true, false)]
    [InlineData("http://127.0.0.1:5000", "http://127.0.0.1:5001/token", true, false)]
    public void Where_a_registry_refuses_anybody_a_signature_goes_to_its_own_host_alone(string registry, string realm, bool isNamed, bool isSigned)
    {
        Answer = who => who == "key" ? 200 : 401;
        string host = new Uri(realm).Host;
        if (isSigned)
        {
            Assert.Equal("Bearer word", Renew(registry, realm, isNamed));
            Assert.Equal([$"{host} nobody", $"{host} key"], _asked);
            return;
        }

        ModelFaultException fault = Assert.Throws<ModelFaultException>(() => Renew(registry, realm, isNamed));
        Assert.Equal(ModelFault.AuthenticationFailed, fault.Fault);
        Assert.Equal([$"{host} nobody"], _asked);
        Assert.DoesNotContain(".ollama", fault.Message + fault.Facts.Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://registry.ollama.ai", "https://ollama.com/token")]
    [InlineData("https://registry.example", "https://registry.example/token")]
    public void What_docker_login_left_goes_before_the_key_and_the_key_is_next_where_that_is_stale(string registry, string realm)
    {
        Directory.CreateDirectory(Path.Combine(_home.Path, ".docker"));
        File.WriteAllText(Path.Combine(_home.Path, ".docker", "config.json"), $"{{\"auths\":{{\"{new Uri(registry).Host}\":{{\"auth\":\"bWU6d29yZA==\"}}}}}}");
        Assert.Equal("Bearer word", Renew(registry, realm));
        Assert.Equal([$"{new Uri(realm).Host} user"], _asked);
        Answer = who => who == "key" ? 200 : 401;
        Assert.Equal("Bearer word", Renew(registry, realm));
        Assert.EndsWith("key", _asked[^1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://registry.ollama.ai", "https://ollama.com/token")]
    [InlineData("https://registry.example", "https://registry.example/token")]
    public void Who_gives_a_credential_means_it(string registry, string realm)
    {
        Answer = who => who == "key" ? 200 : 401;
        Assert.Throws<ModelFaultException>(() => Renew(registry, realm, given: RegistryCredential.OfUser("me", "word")));
        Assert.Equal([$"{new Uri(realm).Host} user"], _asked);
        Assert.Null(Renew(registry, realm, given: RegistryCredential.OfToken("word"), sent: "Bearer word"));
        Assert.Single(_asked);
    }

    [Fact]
    public void A_token_of_Hugging_Face_goes_before_the_key_and_the_key_is_next_where_that_is_stale()
    {
        _variables["HF_TOKEN"] = "stale";
        Authorizer authorizer = Make(null);
        RegistryAddress face = new(new Uri("https://hf.co"), IsNamed: true);
        Uri address = new("https://hf.co/v2/me/model/manifests/latest");
        Assert.Equal("Bearer stale", authorizer.HeaderFor(face, address));
        Assert.Equal(string.Empty, Renew(authorizer, face, address, "https://huggingface.co/token", "Bearer stale"));
        Assert.Empty(_asked);
        Assert.Equal("Bearer word", Renew(authorizer, face, address, "https://huggingface.co/token", sent: null));
        Assert.Equal(["huggingface.co key"], _asked);
    }

    [Fact]
    public void A_key_that_nobody_knows_keeps_nobody_from_what_is_open()
    {
        Answer = who => who == "key" ? 403 : 200;
        Assert.Equal("Bearer word", Renew("https://registry.ollama.ai", "https://ollama.com/token"));
        Assert.Equal(["ollama.com key", "ollama.com nobody"], _asked);
    }

    [Theory]
    [InlineData("https://registry.ollama.ai", "https://ollama.com/token")]
    [InlineData("https://registry.example", "https://registry.example/token")]
    public void Where_a_signature_does_not_help_it_is_told_which_key_it_was(string registry, string realm)
    {
        Answer = _ => 401;
        ModelFaultException fault = Assert.Throws<ModelFaultException>(() => Renew(registry, realm));
        Assert.Equal((ModelFault.AuthenticationFailed, 401, 2), (fault.Fault, fault.Facts.StatusCode, _asked.Count));
        Assert.Contains(KeyPath, fault.Message, StringComparison.Ordinal);
        Assert.Contains("id_ed25519.pub", fault.Facts.Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://registry.ollama.ai", "https://ollama.com/token", false, true)]
    [InlineData("https://registry.ollama.ai", "https://ollama.com/token", true, true)]
    [InlineData("https://registry.example", "https://registry.example/token", false, true)]
    [InlineData("https://registry.example", "https://registry.example/token", true, false)]
    public void A_registry_that_insists_makes_known_what_is_wrong_with_the_key(string registry, string realm, bool isMissing, bool isTold)
    {
        File.WriteAllText(KeyPath, "no key");
        if (isMissing)
        {
            File.Delete(KeyPath);
        }

        Assert.Equal("Bearer word", Renew(registry, realm));
        Answer = _ => 401;
        ModelFaultException fault = Assert.Throws<ModelFaultException>(() => Renew(registry, realm));
        Assert.Equal(ModelFault.AuthenticationFailed, fault.Fault);
        Assert.Equal(isTold, fault.Message.Contains(KeyPath, StringComparison.Ordinal));
        Assert.Equal(isTold, fault.Facts.Remedy is not null);
        Assert.Contains(_told, line => line.Contains(KeyPath, StringComparison.Ordinal));
        Assert.DoesNotContain(_asked, line => line.EndsWith("key", StringComparison.Ordinal));
    }

    public void Dispose() => _home.Dispose();

    private string? Renew(string registry, string realm, bool isNamed = true, RegistryCredential? given = null, string? sent = null) =>
        Renew(Make(given), new RegistryAddress(new Uri(registry), isNamed), new Uri($"{registry}/v2/library/demo/manifests/latest"), realm, sent);

    private static string? Renew(Authorizer authorizer, RegistryAddress registry, Uri address, string realm, string? sent)
    {
        using HttpResponseMessage response = new(HttpStatusCode.Unauthorized);
        response.Headers.TryAddWithoutValidation("WWW-Authenticate", $"Bearer realm=\"{realm}\",service=\"s\",scope=\"repository:library/demo:pull\"");
        return authorizer.Renew(new HttpQuery(address, "*/*", range: null, registry), address, sent, response, CancellationToken.None);
    }

    private Authorizer Make(RegistryCredential? given)
    {
        TokenService tokens = new((message, _) =>
        {
            string header = message.Headers.TryGetValues("Authorization", out IEnumerable<string>? values) ? values.Single() : string.Empty;
            string who = header.Length == 0 ? "nobody" : header.StartsWith("Basic ", StringComparison.Ordinal) ? "user" : "key";
            _asked.Add($"{message.RequestUri!.Host} {who}");
            return new TokenAnswer(Answer(who), Encoding.UTF8.GetBytes("{\"token\":\"word\"}"));
        });
        CredentialFinder finder = new(given, name => _variables.GetValueOrDefault(name), _home.Path, _told.Add);
        return new Authorizer(finder, tokens, new OllamaScheme(tokens, new OllamaKeyFile(_home.Path, _told.Add)));
    }
}
