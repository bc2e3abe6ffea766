using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Registry;
using PSModel.Core.Store;
using PSModel.Loopback;

namespace PSModel.Core.Tests.Mirrors;

/// <summary>Places of registries that a model's name cannot say.</summary>
public sealed class OciReferenceTests : EngineTests
{
    private const string Pin = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    private readonly LoopbackModel _model = LoopbackModel.Generate("group/sub/project/llama", "8b", 1000);

    [Theory]
    [InlineData("registry.gitlab.com/group/sub/project/llama:8b", "https://registry.gitlab.com/v2/group/sub/project/llama/manifests/8b")]
    [InlineData("registry.gitlab.com/group/llama", "https://registry.gitlab.com/v2/group/llama/manifests/latest")]
    [InlineData("nexus.example:8443/repository/docker-hosted/ai/llama_3.2:Q4_K_M", "https://nexus.example:8443/v2/repository/docker-hosted/ai/llama_3.2/manifests/Q4_K_M")]
    [InlineData("http://127.0.0.1:5000/one", "http://127.0.0.1:5000/v2/one/manifests/latest")]
    [InlineData("http://[::1]:5000/one/two:3", "http://[::1]:5000/v2/one/two/manifests/3")]
    [InlineData("localhost/one/two", "https://localhost/v2/one/two/manifests/latest")]
    [InlineData("https://registry/one/two", "https://registry/v2/one/two/manifests/latest")]
    [InlineData("docker.io/alpine", "https://docker.io/v2/library/alpine/manifests/latest")]
    [InlineData("ghcr.io/me/llama@" + Pin, "https://ghcr.io/v2/me/llama/manifests/" + Pin)]
    [InlineData("ghcr.io/me/llama:8b@" + Pin, "https://ghcr.io/v2/me/llama/manifests/" + Pin)]
    public void Each_is_read_and_reads_back(string text, string address)
    {
        OciReference reference = OciReference.Parse(text);
        Assert.Equal(address, reference.ManifestAddress);
        Assert.Equal(reference, OciReference.Parse(reference.ToString()));
        Assert.Equal(address, OciReference.TryOfAddress(address)!.ManifestAddress);
    }

    [Theory]
    [InlineData("")]
    [InlineData("llama")]
    [InlineData("group/llama:8b")]
    [InlineData("/mnt/usb")]
    [InlineData(@"C:\models")]
    [InlineData("./models/x")]
    [InlineData("ghcr.io")]
    [InlineData("ghcr.io/")]
    [InlineData("ghcr.io/:8b")]
    [InlineData("ghcr.io/me//llama")]
    [InlineData("ghcr.io/me/../llama")]
    [InlineData("ghcr.io/me/llama:")]
    [InlineData("ghcr.io/me/llama@sha256:12")]
    [InlineData("ghcr.io/me/llama?x=1")]
    [InlineData("ftp://ghcr.io/me/llama")]
    [InlineData("me:secret@ghcr.io/me/llama")]
    [InlineData("ghcr.io/me/llama\r\nX: 1")]
    public void Others_are_refused_without_a_word_of_a_secret(string text)
    {
        ModelFaultException fault = Assert.Throws<ModelFaultException>(() => OciReference.Parse(text));
        Assert.Equal(ModelFault.InvalidModelName, fault.Fault);
        Assert.DoesNotContain("secret", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://ghcr.io/v2/me/llama/manifests/8b?x=1")]
    [InlineData("https://ghcr.io/v2/me/llama/blobs/8b")]
    [InlineData("https://ghcr.io/v2//manifests/8b")]
    [InlineData("https://ghcr.io/v2/../manifests/8b")]
    [InlineData("https://ghcr.io/prefix/v2/me/llama/manifests/8b")]
    [InlineData("https://me@ghcr.io/v2/me/llama/manifests/8b")]
    [InlineData("file:///v2/me/llama/manifests/8b")]
    public void Another_address_is_none_of_a_manifest(string address) => Assert.Null(OciReference.TryOfAddress(address));

    [Fact]
    public async Task A_model_comes_from_there_into_the_store_under_its_name_and_is_fetched_from_there_again()
    {
        Registry.Offer(_model);
        string place = $"{Registry.Address.GetLeftPart(UriPartial.Authority)}/group/sub/project/llama:8b";
        RegistryOptions.Source = OciReference.Parse(place);
        await Watcher.SaveAsync(this, "llama:mine");
        Assert.Equal(_model.Manifest, new ModelStore(Folder.Path).Manifests.Read(ModelName.Parse("llama:mine")).GetBytes());
        Assert.All(Registry.Requests, request => Assert.StartsWith("/v2/group/sub/project/llama/", request.Path, StringComparison.Ordinal));

        // Without a word of the source: the store knows where the model came from.
        ModelStore store = new(Folder.Path);
        Manifest stored = store.Manifests.Read(ModelName.Parse("llama:mine"));
        Assert.Equal($"Save-ModelBlob llama:mine -StorePath '{store.Root}' -Source '{place}'", SaveCommand.For(store, stored));
        RegistryEndpoint endpoint = Assert.Single(RegistryEndpoint.AllOf(stored, new RegistryOptions()));
        Assert.Equal(new Uri(Registry.Address, $"/v2/group/sub/project/llama/blobs/{_model.Blobs[0].Digest}"), endpoint.Blob(BlobDigest.Parse(_model.Blobs[0].Digest)));
        Assert.False(endpoint.Registry.IsNamed);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_pin_of_source_or_name_must_be_the_digest_of_what_comes(bool isOfSource)
    {
        Registry.Offer(_model);
        Registry.Fault = (_, answer) => answer.Become(200, "{}");
        string place = $"{Registry.Address.GetLeftPart(UriPartial.Authority)}/group/sub/project/llama:8b";
        RegistryOptions.Source = OciReference.Parse(isOfSource ? $"{place}@{Pin}" : place);
        RegistryOptions.MaximumRetryCount = 0;
        using RegistryClient client = new(RegistryOptions);
        ModelFaultException fault = Assert.Throws<ModelFaultException>(() => client.GetManifest(ModelName.Parse(isOfSource ? "llama" : $"llama@{Pin}"), CancellationToken.None));
        Assert.Equal(ModelFault.DigestMismatch, fault.Fault);
        Assert.Contains(isOfSource ? "the source says" : "the name says", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("registry.gitlab.com/group/sub/project/llama:8b", "registry.gitlab.com/project/llama:8b")]
    [InlineData("http://127.0.0.1:5000/llama", "http://127.0.0.1:5000/library/llama:latest")]
    public void Where_no_name_is_given_it_has_one(string source, string name) => Assert.Equal(name, OciReference.Parse(source).ToName().ToString());
}
