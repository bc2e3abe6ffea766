using System.Net;
using System.Net.Http;
using System.Text;
using PSModel.Core.Authentication;
using PSModel.Core.Faults;

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

    private Authorizer Make(RegistryCredential? given) => new(new CredentialFinder(given, _ => null, Path.GetTempPath(), _ => { }), new TokenService(Answer));

    private TokenAnswer Answer(HttpRequestMessage message, CancellationToken cancellationToken) =>
        new(200, Encoding.UTF8.GetBytes($"{{\"token\":\"token-{Interlocked.Increment(ref _asked)}\"}}"));

    private static string? Renew(Authorizer authorizer, Uri address, string? sent, RegistryAddress? registry = null, string challenge = "Bearer realm=\"https://auth.example/token\"")
    {
        using HttpResponseMessage response = new(HttpStatusCode.Unauthorized);
        response.Headers.TryAddWithoutValidation("WWW-Authenticate", challenge);
        return authorizer.Renew(registry ?? Named, address, sent, response, CancellationToken.None);
    }
}
