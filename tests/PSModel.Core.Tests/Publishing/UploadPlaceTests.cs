using PSModel.Core.Authentication;
using PSModel.Core.Faults;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Core.Tests.Publishing;

/// <summary>An upload goes where the registry says, as far as that is safe.</summary>
public sealed class UploadPlaceTests : UploadTests
{
    [Theory]
    [InlineData("absolute")]
    [InlineData("query")]
    [InlineData("relative")]
    public async Task The_place_of_an_upload_is_followed(string form)
    {
        Server.LocationOf = path => form switch
        {
            "absolute" => new Uri(Server.Address, path).AbsoluteUri,
            "query" => $"{path}?_state=a%2Fb%3D&x=1",
            _ => path,
        };
        await PublishWholeAsync();
        Assert.Equal(form == "query", Chunks.All(chunk => chunk.Path.EndsWith("?_state=a%2Fb%3D&x=1", StringComparison.Ordinal)));
        Assert.Contains(Server.Requests, request => request.Method == "PUT" && request.Path.EndsWith($"{(form == "query" ? "&" : "?")}digest={Weights.Digest}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Another_host_gets_no_credentials()
    {
        using PushRegistry storage = new();
        RegistryOptions.Credential = RegistryCredential.OfToken("s3cret-word");
        Server.LocationOf = storage.Begin;
        await PublishAsync(ModelName);
        Assert.Empty(Faults);
        Assert.Equal(Weights.Digest, OllamaStore.DigestOf(storage.Blobs[Weights.Digest]));
        Assert.All(Server.Requests, request => Assert.Equal("Bearer s3cret-word", request.Headers["authorization"]));
        Assert.All(storage.Requests, request => Assert.False(request.Headers.ContainsKey("authorization")));
    }

    [Fact]
    public async Task Another_machine_is_not_reached_over_plain_http()
    {
        Server.LocationOf = path => $"http://registry.example{path}";
        await PublishAsync(ModelName);
        Assert.All(Faults, fault => Assert.Equal(ModelFault.UntrustedRedirect, fault.Fault));
        Assert.NotEmpty(Faults);
        Assert.Empty(Chunks);
    }

    [Fact]
    public async Task A_redirect_of_a_chunk_is_sent_the_same_there()
    {
        using PushRegistry other = new();
        Server.Fault = request =>
        {
            if (request.Method == "PATCH")
            {
                request.Status = 307;
                request.AnswerHeaders["Location"] = $"{other.Address.AbsoluteUri.TrimEnd('/')}{request.Path}";
            }
        };
        RegistryOptions.MaximumRetryCount = 0;
        await PublishAsync(ModelName);
        PushRequest chunk = Assert.Single(other.Requests, request => request.Method == "PATCH");
        Assert.Equal(("PATCH", 2 * Unit), (chunk.Method, chunk.Body.Length));
    }
}
