using System.Text;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Registry;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Core.Tests.Stores;

/// <summary>A list of manifests, one for each program that runs the model.</summary>
public sealed class ManifestListTests
{
    private static readonly ModelName Name = ModelName.Parse("demo");
    private static readonly LoopbackModel Gguf = LoopbackModel.Generate("library/demo", "latest", 1000);
    private static readonly LoopbackModel Tensors = LoopbackModel.Generate("library/demo", "latest", 1000, seed: 2);

    [Theory]
    [InlineData(false, "mlx,ggml,llamacpp", "llamacpp")]
    [InlineData(false, "mlx,ggml", "ggml")]
    [InlineData(false, "other,,mlx", "mlx")]
    [InlineData(false, "other,", "")]
    [InlineData(true, "llamacpp,ggml,mlx", "mlx")]
    [InlineData(true, "ggml,llamacpp", "llamacpp")]
    [InlineData(false, "mlx, LlamaCpp ", "llamacpp")]
    public void The_choice_is_that_of_Ollama(bool isAppleSilicon, string runners, string chosen)
    {
        ManifestList list = Read(OllamaStore.ListOf([.. runners.Split(',').Select(runner => (runner.Length == 0 ? null : runner, (string?)null, Gguf.Manifest))]))!;
        Assert.Equal(chosen, list.Choose(null, _ => true, isAppleSilicon).Runner ?? string.Empty);
    }

    [Fact]
    public void Runners_that_nobody_knows_are_told_of()
    {
        ManifestList list = Read(OllamaStore.ListOf(("vllm", null, Gguf.Manifest)))!;
        ModelFaultException fault = Assert.Throws<ModelFaultException>(() => list.Choose(null));
        Assert.Equal(ModelFault.ManifestNotFound, fault.Fault);
        Assert.Contains("vllm", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"mediaType":"application/vnd.ollama.manifest.list.v2+json"}""", "names no manifests")]
    [InlineData("""{"mediaType":"application/vnd.ollama.manifest.list.v2+json","manifests":[]}""", "names no manifests")]
    [InlineData("""{"mediaType":"application/vnd.ollama.manifest.list.v2+json","manifests":[3]}""", "is not a JSON object")]
    [InlineData("""{"mediaType":"application/vnd.ollama.manifest.list.v2+json","manifests":[{"digest":"sha256:../../x"}]}""", "the digest")]
    [InlineData("""{"mediaType":"application/vnd.ollama.manifest.list.v2+json","manifests":[{"digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","mediaType":"application/vnd.ollama.manifest.list.v2+json"}]}""", "of a kind that is known")]
    public void A_list_that_is_broken_is_refused(string text, string reason)
    {
        ModelFaultException fault = Assert.Throws<ModelFaultException>(() => Read(Encoding.UTF8.GetBytes(text)));
        Assert.Equal(ModelFault.ManifestInvalid, fault.Fault);
        Assert.Contains(reason, fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}""")]
    [InlineData("""{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.list.v2+json","manifests":[]}""")]
    [InlineData("""{"schemaVersion":2,"manifests":[]}""")]
    public void An_index_for_several_platforms_is_none_and_keeps_its_error(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Assert.Null(Read(bytes));
        Assert.Contains("several platforms", Assert.Throws<ModelFaultException>(() => ManifestReader.Read(Name, "test", bytes)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "llamacpp")]
    [InlineData("mlx", "mlx")]
    public async Task The_one_that_is_wanted_is_fetched_as_a_blob_and_asked_for_in_both_ways(string? runner, string expected)
    {
        await using LoopbackRegistry registry = LoopbackRegistry.Start();
        ModelName name = Offer(registry);
        using RegistryClient client = new(new RegistryOptions());
        Manifest manifest = client.GetManifest(name, origin: null, runner, CancellationToken.None);
        Assert.Equal((runner is null ? Gguf : Tensors).Manifest, manifest.GetBytes());
        Assert.Equal((expected, 2), (manifest.Runner, manifest.Choices.Count));
        Assert.Equal([false, true], registry.Requests.Select(request => request.IsBlob));
        Assert.StartsWith("application/vnd.ollama.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json", registry.Requests[0].Headers["accept"], StringComparison.Ordinal);
        Assert.Equal(registry.Address.GetLeftPart(UriPartial.Authority), RegistryEndpoint.OriginOf(manifest));
    }

    [Fact]
    public async Task A_manifest_that_has_not_the_digest_of_the_list_is_not_taken()
    {
        await using LoopbackRegistry registry = LoopbackRegistry.Start();
        ModelName name = Offer(registry);
        registry.OfferBlob(OllamaStore.DigestOf(Gguf.Manifest), BlobContent.Of(Tensors.Manifest));
        using RegistryClient client = new(new RegistryOptions { MaximumRetryCount = 1, RetryInterval = TimeSpan.FromMilliseconds(1) });
        ModelFaultException fault = Assert.Throws<ModelFaultException>(() => client.GetManifest(name, CancellationToken.None));
        Assert.Equal((ModelFault.DigestMismatch, OllamaStore.DigestOf(Tensors.Manifest)), (fault.Fault, fault.Facts.ActualDigest));
    }

    [Fact]
    public async Task A_manifest_that_the_registry_lost_is_not_found()
    {
        await using LoopbackRegistry registry = LoopbackRegistry.Start();
        ModelName name = Offer(registry);
        registry.Fault = (request, answer) =>
        {
            if (request.IsBlob)
            {
                answer.Become(404, "{}", "application/json");
            }
        };
        using RegistryClient client = new(new RegistryOptions());
        ModelFaultException fault = Assert.Throws<ModelFaultException>(() => client.GetManifest(name, CancellationToken.None));
        Assert.Equal((ModelFault.ManifestNotFound, OllamaStore.DigestOf(Gguf.Manifest)), (fault.Fault, fault.Facts.Uri![^71..]));
    }

    private static ManifestList? Read(byte[] bytes) => ManifestListReader.TryRead(Name, "test", bytes);

    private static ModelName Offer(LoopbackRegistry registry)
    {
        registry.OfferBlob(OllamaStore.DigestOf(Gguf.Manifest), BlobContent.Of(Gguf.Manifest));
        registry.OfferBlob(OllamaStore.DigestOf(Tensors.Manifest), BlobContent.Of(Tensors.Manifest));
        return ModelName.Parse(registry.Offer(Gguf.WithManifest(OllamaStore.ListOf(("mlx", "safetensors", Tensors.Manifest), ("llamacpp", "gguf", Gguf.Manifest)))));
    }
}
