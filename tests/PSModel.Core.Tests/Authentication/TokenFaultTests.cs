using PSModel.Core.Faults;
using PSModel.Core.Names;
using PSModel.Core.Registry;
using PSModel.Loopback;

namespace PSModel.Core.Tests.Authentication;

/// <summary>A token service that is busy, dead, or hidden by a portal, for a while.</summary>
public sealed class TokenFaultTests : TokenRegistryTests
{
    private int _asked;

    [Theory]
    [InlineData(429)]
    [InlineData(503)]
    public void How_long_it_asks_to_be_left_alone_is_heard(int status)
    {
        Guard((request, answer) =>
        {
            if (IsToken(request))
            {
                answer.Become(status, string.Empty);
                answer.Headers["Retry-After"] = "7";
            }
        });
        string name = Registry.Offer(LoopbackModel.Generate("library/demo", "latest", 1000));
        RegistryOptions.MaximumRetryCount = 0;
        using RegistryClient client = new(RegistryOptions);
        ModelFaultException fault = Assert.Throws<ModelFaultException>(() => client.GetManifest(ModelName.Parse(name), CancellationToken.None));
        Assert.Equal((ModelFault.UnexpectedStatus, (double?)7), (fault.Fault, fault.RetryAfter?.TotalSeconds));
        Assert.True(fault.IsTransient);
    }

    [Theory]
    [InlineData("<!doctype html><title>Sign in</title>")]
    [InlineData("{\"token\":")]
    public async Task One_answer_without_a_token_ends_no_download(string body)
    {
        // So that the blob, of which nothing has come, needs another than the manifest did.
        TokenBody = "{\"token\":\"TOKEN\",\"expires_in\":0.000001}";
        Guard((request, answer) =>
        {
            if (IsToken(request) && Interlocked.Increment(ref _asked) == 2)
            {
                answer.Become(200, body, "text/html");
            }
        });
        await SaveAsync(BlobContent.Generate(1 * MB, 1));
        Assert.True(_asked > 2);
    }

    [Fact]
    public async Task Answers_without_a_token_end_it_in_the_end_and_at_its_beginning_at_once()
    {
        RegistryOptions.MaximumRetryCount = 1;

        // An attempt that begins within the millisecond of the last failure counts as one with it.
        RegistryOptions.RetryInterval = TimeSpan.FromMilliseconds(100);
        TokenBody = "{\"token\":\"TOKEN\",\"expires_in\":0.000001}";
        int right = 1;
        Guard((request, answer) =>
        {
            if (IsToken(request) && Interlocked.Increment(ref _asked) > right)
            {
                answer.Become(200, "{}");
            }
        });
        ModelFaultException fault = await Assert.ThrowsAsync<ModelFaultException>(() => SaveAsync(BlobContent.Generate(100_000, 1)));
        Assert.Equal(ModelFault.AuthenticationFailed, fault.Fault);
        Assert.InRange(_asked, 3, 5);
        (right, _asked) = (0, 0);
        fault = await Assert.ThrowsAsync<ModelFaultException>(() => SaveAsync(BlobContent.Generate(100_000, 1)));
        Assert.Equal((ModelFault.AuthenticationFailed, 1), (fault.Fault, _asked));
    }

    /// <summary>Where a registry redirects, one connection leads the way for all, and the others wait for it before they ask for a
    /// token.</summary>
    [Fact]
    public async Task A_dead_one_is_not_waited_for_by_one_connection_after_the_other()
    {
        Options.Connections = 8;
        UsesOfToken = 2;
        RegistryOptions.ConnectionTimeout = TimeSpan.FromSeconds(1);
        RegistryOptions.MaximumRetryCount = 1;
        BlobContent content = BlobContent.Generate(80 * MB, 1);
        await using LoopbackRegistry storage = LoopbackRegistry.Start();
        storage.OfferBlob(content.Digest, content);
        int served = 0;
        storage.Fault = (_, answer) =>
        {
            if (Interlocked.Increment(ref served) > 20)
            {
                answer.Become(403, "<Error>expired</Error>", "application/xml");
            }

            (answer.BytesPerSecond, answer.CutAfter) = (2 * MB, 1 * MB);
        };
        Guard((request, answer) =>
        {
            if (IsToken(request) && Interlocked.Increment(ref _asked) > 1)
            {
                answer.Delay = TimeSpan.FromHours(1);
            }
            else if (request.IsBlob)
            {
                answer.RedirectTo(new Uri(storage.Address, request.Path).AbsoluteUri);
            }
        });
        ModelFaultException fault = await Assert.ThrowsAsync<ModelFaultException>(() => SaveAsync(content));
        Assert.Equal(ModelFault.RegistryUnreachable, fault.Fault);
        Assert.True(served > 20);

        // The first token, and those that were asked for in vain: at once, and after the pause.
        Assert.InRange(_asked, 3, 4);
    }
}
