using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Registry;
using PSModel.Loopback;

namespace PSModel.Core.Tests;

public sealed class RegistryClientTests
{
    [Fact]
    public async Task A_manifest_that_is_cut_short_is_asked_for_again()
    {
        await using LoopbackRegistry registry = LoopbackRegistry.Start();
        string name = registry.Offer(LoopbackModel.WithWeights("library/demo", "latest", BlobContent.Generate(1000, 1)));
        int answers = 0;
        registry.Fault = (_, answer) => answer.CutAfter = Interlocked.Increment(ref answers) == 1 ? 50 : null;
        using RegistryClient client = new(new RegistryOptions { RetryInterval = TimeSpan.FromMilliseconds(1) });

        Manifest manifest = client.GetManifest(ModelName.Parse(name), CancellationToken.None);

        Assert.NotEmpty(manifest.Blobs);
        Assert.Equal(2, registry.Requests.Count);
    }
}
