using PSModel.Core.Faults;
using PSModel.Core.Names;
using PSModel.Core.Registry;
using PSModel.Loopback;

namespace PSModel.Core.Tests.Authentication;

/// <summary>A registry that redirects manifests to another host, as hf.co does.</summary>
public sealed class RedirectedManifestTests : IAsyncLifetime
{
    private readonly LoopbackRegistry _first = LoopbackRegistry.Start();
    private readonly LoopbackRegistry _second = LoopbackRegistry.Start();
    private readonly LoopbackModel _model = LoopbackModel.Generate("library/demo", "latest", 1000);
    private readonly string _name;

    public RedirectedManifestTests()
    {
        _name = _first.Offer(_model);
        _second.Offer(_model);
        _first.Fault = (request, answer) => answer.RedirectTo(new Uri(_second.Address, request.Path).AbsoluteUri);
    }

    [Theory]
    [InlineData(400, "{\"error\":\"The specified repository contains sharded GGUF.\"}", ModelFault.UnexpectedStatus, "It says: The specified repository contains sharded GGUF.")]
    [InlineData(401, "{\"error\":\"Invalid username or password.\"}", ModelFault.AuthenticationFailed, "It says: Invalid username or password.")]
    [InlineData(412, "{\"error\":\"Please update.\"}", ModelFault.UnexpectedStatus, "It says: Please update.")]
    [InlineData(403, "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"no access\"},{\"code\":\"OTHER\"}]}", ModelFault.UnexpectedStatus, "It says: DENIED: no access; OTHER")]
    [InlineData(404, "", ModelFault.ManifestNotFound, "has no model")]
    public void Its_answer_is_the_last_word_and_is_told(int status, string body, ModelFault expected, string words)
    {
        _second.Fault = (_, answer) => answer.Become(status, body, "application/json");
        ModelFaultException fault = Assert.Throws<ModelFaultException>(() => Get());
        Assert.Equal(expected, fault.Fault);
        Assert.Contains(words, fault.Message, StringComparison.Ordinal);
        Assert.Single(_second.Requests);
    }

    [Fact]
    public void A_web_page_says_nothing_in_one_line()
    {
        _second.Fault = (_, answer) => answer.Become(400, "<!doctype html><title>No</title>", "text/html");
        Assert.DoesNotContain("It says", Assert.Throws<ModelFaultException>(() => Get()).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(503)]
    public void What_may_pass_is_asked_again(int status)
    {
        int left = 2;
        _second.Fault = (_, answer) =>
        {
            if (Interlocked.Decrement(ref left) >= 0)
            {
                answer.Become(status, string.Empty);
            }
        };
        Assert.NotEmpty(Get().Blobs);
        Assert.Equal(3, _second.Requests.Count);
    }

    [Theory]
    [InlineData("RateLimit", "\"resolvers\";r=0;t=55", 55)]
    [InlineData("RateLimit", "\"resolvers\";r=0;t=never", null)]
    [InlineData("Retry-After", "7", 7)]
    public void How_long_to_wait_is_taken_as_either_header_says(string header, string value, int? seconds)
    {
        _second.Fault = (_, answer) =>
        {
            answer.Become(429, string.Empty);
            answer.Headers[header] = value;
        };
        using RegistryClient client = new(new RegistryOptions { MaximumRetryCount = 0 });
        ModelFaultException fault = Assert.Throws<ModelFaultException>(() => client.GetManifest(ModelName.Parse(_name), CancellationToken.None));
        Assert.Equal(seconds, fault.RetryAfter?.TotalSeconds);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _first.DisposeAsync();
        await _second.DisposeAsync();
    }

    private Manifests.Manifest Get()
    {
        using RegistryClient client = new(new RegistryOptions { RetryInterval = TimeSpan.FromMilliseconds(1) });
        return client.GetManifest(ModelName.Parse(_name), CancellationToken.None);
    }
}
