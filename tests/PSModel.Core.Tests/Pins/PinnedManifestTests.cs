using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Registry;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Core.Tests.Pins;

/// <summary>A manifest by its digest, from registries that know more or less of that.</summary>
public sealed class PinnedManifestTests : EngineTests
{
    private static readonly LoopbackModel Model = LoopbackModel.Generate("library/demo", "1b", 1000);
    private static readonly LoopbackModel Other = LoopbackModel.Generate("library/demo", "1b", 1000, seed: 2);

    private readonly Dictionary<string, byte[]> _manifests = [];
    private int _missing = 404;

    [Theory]
    [InlineData(404)]
    [InlineData(400)]
    [InlineData(405)]
    public void Where_no_manifest_comes_by_digest_the_tag_serves_that_is_still_the_same(int missing)
    {
        _missing = missing;
        Serve(("/manifests/1b", Model.Manifest));
        Assert.Equal(Model.Manifest, Get(Model.Manifest).GetBytes());
    }

    [Fact]
    public void One_of_a_list_lies_among_the_blobs()
    {
        Serve(("/manifests/1b", OllamaStore.ListOf(("llamacpp", "gguf", Model.Manifest), ("mlx", "safetensors", Other.Manifest))), ($"/blobs/{OllamaStore.DigestOf(Other.Manifest)}", Other.Manifest));
        Manifest read = Get(Other.Manifest);
        Assert.Equal(Other.Manifest, read.GetBytes());
        Assert.Equal(("mlx", "safetensors", 2), (read.Runner, read.Format, read.Choices.Count));
    }

    [Fact]
    public void A_tag_that_has_moved_is_told_of_with_what_it_is_now()
    {
        Serve(("/manifests/1b", Other.Manifest));
        ModelFaultException fault = Assert.Throws<ModelFaultException>(() => Get(Model.Manifest));
        Assert.Equal(ModelFault.ManifestNotFound, fault.Fault);
        Assert.Contains("has moved", fault.Message, StringComparison.Ordinal);
        Assert.Contains(OllamaStore.DigestOf(Other.Manifest), fault.Message, StringComparison.Ordinal);
        Assert.Contains(OllamaStore.DigestOf(Model.Manifest), fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_comes_by_the_digest_and_is_something_else_is_refused()
    {
        RegistryOptions.MaximumRetryCount = 0;
        Serve(($"/manifests/{OllamaStore.DigestOf(Model.Manifest)}", Other.Manifest), ("/manifests/1b", Model.Manifest));
        Assert.Equal(ModelFault.DigestMismatch, Assert.Throws<ModelFaultException>(() => Get(Model.Manifest)).Fault);

        _manifests.Clear();
        Serve(("/manifests/1b", Other.Manifest), ($"/blobs/{OllamaStore.DigestOf(Model.Manifest)}", Other.Manifest));
        Assert.Equal(ModelFault.ManifestNotFound, Assert.Throws<ModelFaultException>(() => Get(Model.Manifest)).Fault);
    }

    [Fact]
    public void A_model_that_is_gone_is_told_of_as_that()
    {
        Serve();
        ModelFaultException fault = Assert.Throws<ModelFaultException>(() => Get(Model.Manifest));
        Assert.Equal(ModelFault.ManifestNotFound, fault.Fault);
        Assert.DoesNotContain("moved", fault.Message, StringComparison.Ordinal);
    }

    private void Serve(params (string Path, byte[] Bytes)[] served)
    {
        foreach ((string path, byte[] bytes) in served)
        {
            _manifests[path] = bytes;
        }

        Registry.Fault = (request, answer) =>
        {
            if (_manifests.FirstOrDefault(each => request.Path.EndsWith(each.Key, StringComparison.Ordinal)).Value is { } bytes)
            {
                answer.Become(200, System.Text.Encoding.UTF8.GetString(bytes), "application/json");
            }
            else
            {
                answer.Become(_missing, "no");
            }
        };
    }

    private Manifest Get(byte[] manifest)
    {
        using RegistryClient client = new(RegistryOptions);
        return client.GetManifest(ModelName.Parse($"{Registry.Address.GetLeftPart(UriPartial.Authority)}/library/demo:1b@{OllamaStore.DigestOf(manifest)}"), CancellationToken.None);
    }
}
