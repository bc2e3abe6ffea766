using System.Net;
using System.Net.Http;
using System.Net.Sockets;
using PSModel.Core.Faults;
using PSModel.Core.Registry;
using PSModel.Loopback;

namespace PSModel.Core.Tests;

public sealed class ConnectionFailureTests
{
    [Theory]
    [InlineData("http", false)]
    [InlineData("http", true)]
    [InlineData("https", false)]
    [InlineData("https", true)]
    public void A_server_that_accepts_and_closes_at_once_is_a_fault(string scheme, bool isReset)
    {
        TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        using CancellationTokenSource stop = new();
        Task closing = Task.Run(() => CloseAll(listener, isReset, stop.Token));
        HttpQuery query = new(new Uri($"{scheme}://{listener.LocalEndpoint}/v2/"), "*/*");

        // Each time the reset comes at another step.
        for (int i = 0; i < 100; i++)
        {
            using HttpTransport transport = new(new RegistryOptions());
            ModelFaultException fault = Assert.Throws<ModelFaultException>(() => transport.Ask(query, CancellationToken.None));
            Assert.Equal(ModelFault.RegistryUnreachable, fault.Fault);
        }

        stop.Cancel();
        listener.Stop();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100_000)]
    public async Task A_reset_in_the_body_is_a_fault(long after)
    {
        await using LoopbackRegistry registry = LoopbackRegistry.Start();
        BlobContent content = BlobContent.Generate(1_000_000, 1);
        registry.OfferBlob(content.Digest, content);
        registry.Fault = (_, answer) => (answer.CutAfter, answer.IsCutByReset) = (after, true);
        HttpQuery query = new(new Uri(registry.Address, $"/v2/library/demo/blobs/{content.Digest}"), "*/*");
        using HttpTransport transport = new(new RegistryOptions());

        for (int i = 0; i < 50; i++)
        {
            ModelFaultException fault = Assert.Throws<ModelFaultException>(() => ReadAll(transport, query));
            Assert.Equal(ModelFault.RegistryUnreachable, fault.Fault);
            Assert.True(fault.IsTransient);
        }
    }

    [Theory]
    [InlineData("//[")]
    [InlineData("http://[")]
    [InlineData("https:")]
    [InlineData("http://host:port/")]
    public async Task A_redirect_that_cannot_be_read_is_an_answer_like_others(string location)
    {
        await using LoopbackRegistry registry = LoopbackRegistry.Start();
        registry.Fault = (_, answer) => answer.RedirectTo(location);
        Uri address = new(registry.Address, "/v2/");
        using HttpTransport transport = new(new RegistryOptions());

        using HttpResponseMessage answer = transport.Ask(new HttpQuery(address, "*/*"), CancellationToken.None);

        ModelFaultException fault = StatusFault.From(answer, address, isLasting: false, CancellationToken.None);
        Assert.Equal(ModelFault.UnexpectedStatus, fault.Fault);
        Assert.False(fault.IsTransient);
    }

    private static void CloseAll(TcpListener listener, bool isReset, CancellationToken cancellationToken)
    {
        try
        {
            while (!cancellationToken.IsCancellationRequested)
            {
                using Socket socket = listener.AcceptSocket();
                socket.LingerState = new LingerOption(isReset, 0);
            }
        }
        catch (SocketException)
        {
            // The listener was stopped.
        }
    }

    private static void ReadAll(HttpTransport transport, HttpQuery query)
    {
        using HttpResponseMessage answer = transport.Ask(query, CancellationToken.None);
        using BodyStream body = BodyStream.Open(answer, TimeSpan.FromSeconds(30), CancellationToken.None);
        byte[] buffer = new byte[64 * 1024];
        while (body.Read(buffer, 0, buffer.Length) > 0)
        {
        }
    }
}
