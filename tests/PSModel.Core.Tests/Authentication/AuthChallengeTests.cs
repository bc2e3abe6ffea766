using System.Net;
using System.Net.Http;
using PSModel.Core.Authentication;

namespace PSModel.Core.Tests.Authentication;

public sealed class AuthChallengeTests
{
    [Theory]
    [InlineData("Bearer realm=\"https://auth.example/token\",service=\"registry.example\",scope=\"repository:library/demo:pull\"", "https://auth.example/token", "registry.example", "repository:library/demo:pull")]
    [InlineData("bearer realm=https://auth.example/token , service=registry.example", "https://auth.example/token", "registry.example", null)]
    [InlineData("Bearer scope=\"repository:a:pull,push repository:b:pull\", realm=\"https://auth.example/t?a=b\", error=\"invalid_token\"", "https://auth.example/t?a=b", null, "repository:a:pull,push repository:b:pull")]
    [InlineData("Bearer realm=\"a \\\"quoted\\\" word\"", "a \"quoted\" word", null, null)]
    [InlineData("Bearer", null, null, null)]
    [InlineData("Bearer realm", null, null, null)]
    [InlineData("Bearer realm=", null, null, null)]
    public void Its_parts_are_read_however_they_are_written(string header, string? realm, string? service, string? scope)
    {
        using HttpResponseMessage response = new(HttpStatusCode.Unauthorized);
        response.Headers.TryAddWithoutValidation("WWW-Authenticate", header);
        AuthChallenge challenge = Assert.Single(AuthChallenge.ReadAll(response));
        Assert.True(challenge.IsOf("Bearer"));
        Assert.Equal((realm, service, scope), (challenge.Realm, challenge.Service, challenge.Scope));
    }

    [Fact]
    public void There_may_be_several()
    {
        using HttpResponseMessage response = new(HttpStatusCode.Unauthorized);
        response.Headers.TryAddWithoutValidation("WWW-Authenticate", ["Basic realm=\"x\"", "Bearer realm=\"https://auth.example\""]);
        Assert.Equal(["Basic", "Bearer"], AuthChallenge.ReadAll(response).Select(challenge => challenge.Scheme));
    }
}
