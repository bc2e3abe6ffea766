using System.Net.Http;
using PSModel.Core.Faults;
using PSModel.Core.Registry;
using PSModel.Loopback;

namespace PSModel.Core.Tests;

public sealed class HttpTransportTests
{
    [Fact]
    public async Task A_host_is_given_as_many_connections_as_are_asked_for()
    {
        // The headers come at once and the bodies never: a bound on connections would leave a request without an answer.
        await using LoopbackRegistry registry = LoopbackRegistry.Start();
        BlobContent content = BlobContent.Generate(1000, 1);
        registry.OfferBlob(content.Digest, content);
        registry.Fault = (_, answer) => answer.StallAfter = 0;
        HttpQuery query = new(new Uri(registry.Address, $"/v2/library/demo/blobs/{content.Digest}"), "*/*");
        using HttpTransport transport = new(new RegistryOptions());

        HttpResponseMessage[] answers =
            await Task.WhenAll(Enumerable.Range(0, 32).Select(_ => Task.Factory.StartNew(
                () => transport.Ask(query, CancellationToken.None), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));

        Assert.All(answers, answer => Assert.True(answer.IsSuccessStatusCode));
        Assert.Equal(answers.Length, registry.Requests.Count);
        foreach (HttpResponseMessage answer in answers)
        {
            answer.Dispose();
        }
    }

    [Fact]
    public void A_host_that_does_not_answer_is_named_as_it_was_given()
    {
        HttpQuery query = new(new Uri("http://127.0.0.1:1/v2/"), "*/*");
        using HttpTransport transport = new(new RegistryOptions());

        ModelFaultException fault = Assert.Throws<ModelFaultException>(() => transport.Ask(query, CancellationToken.None));

        Assert.StartsWith("http://127.0.0.1:1 cannot be reached (", fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("::", fault.Message, StringComparison.Ordinal);
    }
}
