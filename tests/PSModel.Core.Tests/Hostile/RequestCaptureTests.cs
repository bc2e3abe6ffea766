using System.Net.Http.Headers;
using PSModel.Loopback;
using PSModel.TestParts;
using Xunit.Sdk;

namespace PSModel.Core.Tests.Hostile;

/// <summary>That whoever shows a secret in a test is caught.</summary>
public sealed class RequestCaptureTests
{
    [Theory]
    [InlineData("http://registry.example/v2/", true, "plain http")]
    [InlineData("https://registry.example/v2/?token=s3cret-word", false, "would show a secret")]
    public async Task A_secret_on_its_way_to_where_it_must_not_go_is_stopped(string address, bool isShown, string why)
    {
        using HttpClient http = new();
        using HttpRequestMessage request = new(HttpMethod.Get, address);
        request.Headers.Authorization = isShown ? new AuthenticationHeaderValue("Bearer", "s3cret-word") : null;
        XunitException caught = await Assert.ThrowsAsync<XunitException>(() => http.SendAsync(request));
        Assert.Contains(why, caught.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task So_is_one_that_follows_a_redirect()
    {
        await using LoopbackRegistry registry = LoopbackRegistry.Start();
        await using LoopbackRegistry other = LoopbackRegistry.Start();
        Uri target = new(other.Address, "/v2/a/b");
        registry.Fault = (_, answer) =>
        {
            answer.Status = 307;
            answer.Headers["Location"] = target.AbsoluteUri;
        };
        using HttpClient http = new(new HttpClientHandler { AllowAutoRedirect = false });
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "s3cret-word");
        long before = RequestCapture.Shown;
        using HttpResponseMessage first = await http.GetAsync(new Uri(registry.Address, "/v2/a/blobs/b"));
        Assert.True(RequestCapture.Shown > before);
        XunitException caught = await Assert.ThrowsAsync<XunitException>(() => http.GetAsync(target));
        Assert.Contains("redirected to", caught.Message, StringComparison.Ordinal);
    }
}
