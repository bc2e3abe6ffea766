#if NET
using PSModel.Core.Faults;
using PSModel.Core.Registry;
using PSModel.Loopback;

namespace PSModel.Core.Tests;

/// <summary>Proxies from which nothing comes.</summary>
public sealed class ConnectionProxyTests
{
    [Fact]
    public void A_proxy_that_cannot_be_connected_to_in_time_is_named()
    {
        using Blackhole dead = new();
        RegistryOptions options = new() { Proxy = new Uri($"http://{dead.EndPoint}"), ConnectionTimeout = TimeSpan.FromMilliseconds(400) };
        using HttpTransport transport = new(options);

        foreach (string address in new[] { "https://registry.test/v2/", "http://127.0.0.1:1/v2/" })
        {
            ModelFaultException fault = Assert.Throws<ModelFaultException>(() => transport.Ask(new HttpQuery(new Uri(address), "*/*"), CancellationToken.None));
            Assert.StartsWith($"The proxy http://{dead.EndPoint} cannot be reached (", fault.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Of_a_proxy_that_is_there_and_a_registry_that_is_silent_both_are_named()
    {
        await using LoopbackRegistry silent = LoopbackRegistry.Start();
        string proxy = silent.Address.GetLeftPart(UriPartial.Authority);
        silent.Fault = (_, answer) => answer.Delay = TimeSpan.FromMinutes(5);
        using HttpTransport transport = new(new RegistryOptions { Proxy = silent.Address, ConnectionTimeout = TimeSpan.FromSeconds(1) });

        ModelFaultException fault = Assert.Throws<ModelFaultException>(() => transport.Ask(new HttpQuery(new Uri("http://127.0.0.1:1/v2/"), "*/*"), CancellationToken.None));

        Assert.Equal($"http://127.0.0.1:1 gave no answer within 1 seconds by the proxy {proxy}.", fault.Message);
    }
}
#endif
