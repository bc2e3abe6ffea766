using System.Text;
using PSModel.Core.Authentication;
using PSModel.Core.Faults;
using PSModel.Core.Registry;
using PSModel.Loopback;

namespace PSModel.Core.Tests.Authentication;

/// <summary>A registry that wants a token of a service, which the registry of the tests plays too.</summary>
public sealed class TokenTests : TokenRegistryTests
{
    private readonly BlobContent _content = BlobContent.Generate(8 * MB, 1);

    [Theory]
    [InlineData("{\"token\":\"TOKEN\"}")]
    [InlineData("{\"access_token\":\"TOKEN\",\"expires_in\":300}")]
    [InlineData("{\"token\":\"TOKEN\",\"access_token\":\"other\",\"expires_in\":\"soon\"}")]
    public async Task A_token_that_anybody_gets_is_fetched_and_shown(string body)
    {
        TokenBody = body;
        Guard();
        await SaveAsync(_content);
        LoopbackRequest asked = TokenRequests().First();
        Assert.Equal("/token?service=registry.test&scope=repository%3Alibrary%2Fdemo%3Apull", asked.Path);
        Assert.False(asked.Headers.ContainsKey("authorization"));
    }

    [Fact]
    public async Task A_users_token_is_asked_for_once_for_all_requests()
    {
        RegistryOptions.Credential = RegistryCredential.OfUser("me", Secret);
        Guard();
        await SaveAsync(BlobContent.Generate(40 * MB, 2));
        LoopbackRequest asked = Assert.Single(TokenRequests());
        Assert.Equal($"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"me:{Secret}"))}", asked.Headers["authorization"]);
        Assert.EndsWith("&account=me", asked.Path, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_that_ends_in_mid_download_is_renewed_and_no_byte_is_lost()
    {
        Options.Connections = 2;
        UsesOfToken = 3;
        Guard((request, answer) => answer.CutAfter = request.IsBlob ? 700_000 : null);
        RegistryOptions.MaximumRetryCount = 50;
        await SaveAsync(_content);
        Assert.True(TokenRequests().Count > 2);
        Assert.InRange(Registry.BlobBytesSent, _content.Length, _content.Length + (2 * MB));
    }

    [Fact]
    public async Task One_whose_time_is_over_by_what_its_service_said_is_not_shown_again()
    {
        TokenBody = "{\"token\":\"TOKEN\",\"expires_in\":0.000001}";
        Guard();
        await SaveAsync(_content);
        Assert.True(TokenRequests().Count > 1);
    }

    [Fact]
    public async Task No_secret_goes_to_where_the_registry_redirects_to()
    {
        RegistryOptions.Credential = RegistryCredential.OfToken(Secret);
        await using LoopbackRegistry storage = LoopbackRegistry.Start();
        storage.OfferBlob(_content.Digest, _content);
        Guard(
            (request, answer) =>
            {
                if (request.IsBlob)
                {
                    answer.Status = 307;
                    answer.Headers["Location"] = new Uri(storage.Address, request.Path).AbsoluteUri;
                }
            },
            token: Secret);
        await SaveAsync(_content);
        Assert.NotEmpty(storage.Requests);
        Assert.DoesNotContain(storage.Requests, request => request.Headers.ContainsKey("authorization"));
        Assert.All(Registry.Requests, request => Assert.Equal($"Bearer {Secret}", request.Headers["authorization"]));
        NothingShowsSecrets();
    }

    [Fact]
    public async Task Nor_to_a_registry_that_the_call_does_not_name()
    {
        RegistryOptions.Credential = RegistryCredential.OfUser("me", Secret);
        Guard();
        string name = Registry.Offer(LoopbackModel.WithWeightsAlone("library/demo", "latest", _content));
        using RegistryClient client = new(RegistryOptions);
        string elsewhere = name.Replace(Registry.Address.Authority, "registry.example", StringComparison.Ordinal).Replace("http://", string.Empty, StringComparison.Ordinal);
        client.GetManifest(Names.ModelName.Parse(elsewhere), Registry.Address.GetLeftPart(UriPartial.Authority), runner: null, CancellationToken.None);
        Assert.DoesNotContain(Registry.Requests, request => request.Headers.GetValueOrDefault("authorization")?.StartsWith("Basic", StringComparison.Ordinal) == true);
    }

    [Theory]
    [InlineData("http://registry.example/token", ModelFault.UntrustedRealm)]
    [InlineData("file:///etc/passwd", ModelFault.AuthenticationFailed)]
    [InlineData("Authentication required", ModelFault.AuthenticationFailed)]
    [InlineData("https://me:word@auth.example/", ModelFault.UntrustedRealm)]
    [InlineData("/token", ModelFault.AuthenticationFailed)]
    [InlineData("", ModelFault.AuthenticationFailed)]
    public async Task A_service_that_others_could_listen_to_is_not_asked(string realm, ModelFault expected)
    {
        RegistryOptions.Credential = RegistryCredential.OfUser("me", Secret);
        Guard(realm: realm);
        ModelFaultException fault = await Assert.ThrowsAsync<ModelFaultException>(() => SaveAsync(_content));
        Assert.Equal(expected, fault.Fault);
        Assert.Single(Registry.Requests);
    }

    [Theory]
    [InlineData(401, ModelFault.AuthenticationFailed, 1)]
    [InlineData(403, ModelFault.AuthenticationFailed, 1)]
    [InlineData(500, ModelFault.UnexpectedStatus, 3)]
    [InlineData(404, ModelFault.UnexpectedStatus, 1)]
    public async Task A_service_that_refuses_is_told_of_and_asked_again_where_that_may_help(int status, ModelFault expected, int times)
    {
        RegistryOptions.MaximumRetryCount = 2;
        RegistryOptions.Credential = RegistryCredential.OfUser("me", Secret);
        Guard((request, answer) =>
        {
            if (IsToken(request))
            {
                answer.Become(status, $"{{\"details\":\"{Secret} is wrong\"}}", "application/json");
            }
        });
        ModelFaultException fault = await Assert.ThrowsAsync<ModelFaultException>(() => SaveAsync(_content));
        Assert.Equal((expected, times), (fault.Fault, TokenRequests().Count));
        Assert.Contains("token service", fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, fault.Message, StringComparison.Ordinal);
        NothingShowsSecrets();
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("s3cret-word")]
    [InlineData("{\"token\":\"two\\r\\nX-Evil: lines\"}")]
    public async Task What_is_no_token_is_none(string body)
    {
        TokenBody = body;
        Guard();
        ModelFaultException fault = await Assert.ThrowsAsync<ModelFaultException>(() => SaveAsync(_content));
        Assert.Equal(ModelFault.AuthenticationFailed, fault.Fault);
        Assert.DoesNotContain(Secret, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_that_the_registry_does_not_take_ends_the_call_after_one_try()
    {
        UsesOfToken = 0;
        Guard();
        ModelFaultException fault = await Assert.ThrowsAsync<ModelFaultException>(() => SaveAsync(_content));
        Assert.Equal(ModelFault.AuthenticationFailed, fault.Fault);
        Assert.Single(TokenRequests());
    }

    [Theory]
    [InlineData(true, 401)]
    [InlineData(false, 401)]
    [InlineData(true, 400)]
    [InlineData(false, 400)]
    public async Task What_a_registry_repeats_of_a_secret_is_not_told(bool isToken, int status)
    {
        // As JSON may write it, too.
        const string Word = "s3cret/word+s3cret?";
        RegistryOptions.Credential = isToken ? RegistryCredential.OfToken(Word) : RegistryCredential.OfUser("me", Word);
        Trace();
        Registry.Fault = (request, answer) =>
        {
            string shown = request.Headers.GetValueOrDefault("authorization") ?? string.Empty;
            answer.Become(shown.Length > 0 ? status : 401, $"{{\"error\":\"'{shown.Replace("/", "\\/", StringComparison.Ordinal).Replace("+", "\\u002B", StringComparison.Ordinal)}', '{Word}' is nobody\"}}", "application/json");
            answer.Headers["WWW-Authenticate"] = "Basic realm=\"x\"";
            answer.Reason = $"No {Word}";
        };
        ModelFaultException fault = await Assert.ThrowsAsync<ModelFaultException>(() => SaveAsync(_content));
        Assert.Contains("is nobody", fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Convert.ToBase64String(Encoding.UTF8.GetBytes($"me:{Word}")), fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_registry_repeats_in_an_ETag_is_not_kept()
    {
        RegistryOptions.Credential = RegistryCredential.OfToken(Secret);
        Registry.Fault = (_, answer) => answer.Headers["ETag"] = $"\"{Secret}\"";
        Fault((_, answer) =>
        {
            answer.Headers["ETag"] = $"\"{Secret}\"";
            answer.StallAfter = 3 * MB;
        });
        Options.CheckpointInterval = 1 * MB;
        using CancellationTokenSource stop = new();
        Watcher.OnLook = meter =>
        {
            if (meter.BytesTransferred > 2 * MB)
            {
                stop.Cancel();
            }
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => SaveAsync(_content, stop.Token));
        string[] kept = Directory.GetFiles(Folder.Work, "*.checkpoint");
        Assert.DoesNotContain(Secret, File.ReadAllText(Assert.Single(kept)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_service_that_sends_a_byte_now_and_then_is_given_up()
    {
        RegistryOptions.MaximumRetryCount = 0;
        RegistryOptions.OperationTimeout = TimeSpan.FromSeconds(1);
        Guard((request, answer) => answer.BytesPerSecond = IsToken(request) ? 2 : 0);
        TokenBody = $"{{\"token\":\"{new string('t', 1000)}\"}}";
        ModelFaultException fault = await Assert.ThrowsAsync<ModelFaultException>(() => SaveAsync(_content).WaitAsync(TimeSpan.FromSeconds(60)));
        Assert.Equal(ModelFault.TransferStalled, fault.Fault);
    }

    [Fact]
    public async Task Where_a_user_is_asked_for_one_is_named()
    {
        RegistryOptions.Credential = RegistryCredential.OfUser("me", Secret);
        string expected = $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"me:{Secret}"))}";
        Trace();
        Registry.Fault = (request, answer) =>
        {
            if (request.Headers.GetValueOrDefault("authorization") != expected)
            {
                answer.Become(401, "{}", "application/json");
                answer.Headers["WWW-Authenticate"] = "Basic realm=\"registry\"";
            }
        };
        await SaveAsync(_content);
        Assert.Single(Registry.Requests, request => !request.Headers.ContainsKey("authorization"));
        NothingShowsSecrets();
    }
}
