using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Registry;
using PSModel.Core.Store;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Core.Tests.Stores;

/// <summary>Names that say which manifest is meant, by its digest.</summary>
public sealed class PinnedNameTests : EngineTests
{
    private readonly LoopbackModel _model = LoopbackModel.Generate("library/demo", "8b", 1000);

    private string Digest => OllamaStore.DigestOf(_model.Manifest);

    [Theory]
    [InlineData("demo@PIN", "latest")]
    [InlineData("hf.co/me/demo:Q4_K_M@PIN", "Q4_K_M")]
    [InlineData("http://127.0.0.1:5000/library/demo:8b@PIN", "8b")]
    public void A_digest_is_read_behind_any_name_and_is_no_part_of_the_one_in_the_store(string text, string tag)
    {
        ModelName name = ModelName.Parse(text.Replace("PIN", Digest, StringComparison.Ordinal));
        Assert.Equal((Digest, tag), (name.Pin!.ToString(), name.Tag));
        Assert.DoesNotContain("sha256", name.Shortest, StringComparison.Ordinal);
        Assert.Equal(name, ModelName.Parse(name.ToString()));
        Assert.DoesNotContain("sha256", new ModelStore(Folder.Path).Manifests.PathOf(name.WithoutPin), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("demo@sha256:123")]
    [InlineData("demo@md5:d41d8cd98f00b204e9800998ecf8427e")]
    [InlineData("@PIN")]
    [InlineData("demo@PIN:8b")]
    public void Other_texts_are_no_names(string text) =>
        Assert.False(ModelName.TryParse(text.Replace("PIN", Digest, StringComparison.Ordinal), out _, out _));

    [Fact]
    public async Task Its_bytes_are_fetched_by_the_digest_and_saved_under_the_tag()
    {
        string name = Offer(_model.Manifest);
        using RegistryClient client = new(RegistryOptions);
        Manifest manifest = client.GetManifest(ModelName.Parse($"{name}@{Digest}"), CancellationToken.None);
        Assert.Equal($"/v2/library/demo/manifests/{Digest}", Registry.Requests.Single().Path);
        Assert.Null(manifest.Name.Pin);
        Assert.Equal(Registry.Address.GetLeftPart(UriPartial.Authority), RegistryEndpoint.OriginOf(manifest));

        await Watcher.SaveAsync(this, $"{name}@{Digest}");
        StoredManifests stored = new ModelStore(Folder.Path).Manifests;
        ModelName saved = Assert.Single(stored.FindNames());
        Assert.Equal("8b", saved.Tag);
        Assert.Equal(_model.Manifest, stored.Read(ModelName.Parse($"{saved}@{Digest}")).GetBytes());
        ModelFaultException other = Assert.Throws<ModelFaultException>(() => stored.Read(ModelName.Parse($"{saved}@sha256:{new string('0', 64)}")));
        Assert.Equal(ModelFault.ManifestNotFound, other.Fault);
        Assert.Contains(Digest, other.Message, StringComparison.Ordinal);
        Assert.Contains($":8b@sha256:{new string('0', 64)} -StorePath", other.Facts.Remedy, StringComparison.Ordinal);
    }

    [NeedsFact("ln")]
    public void A_file_of_such_a_name_is_no_model()
    {
        new OllamaStore(Folder.Path).PutManifest(_model.Manifest, "registry.ollama.ai", "library", "demo", $"latest@{Digest}");
        Assert.Empty(new ModelStore(Folder.Path).Manifests.FindNames());
    }

    [Fact]
    public void A_tag_of_such_a_name_is_left_out_and_pages_without_end_are_given_up()
    {
        int page = 0;
        bool isEndless = false;
        Registry.Fault = (_, answer) =>
        {
            answer.Become(200, $"{{\"tags\":[\"8b\",\"latest@{Digest}\"]}}", "application/json");
            answer.Headers["Link"] = isEndless ? $"</v2/library/demo/tags/list?last={page++}>; rel=\"next\"" : null;
        };
        using RegistryClient client = new(RegistryOptions);
        ModelName name = ModelName.Parse($"{Registry.Address.GetLeftPart(UriPartial.Authority)}/library/demo");
        Assert.Equal("8b", Assert.Single(client.GetTags(name, CancellationToken.None)).Tag);
        isEndless = true;
        ModelFaultException fault = Assert.Throws<ModelFaultException>(() => client.GetTags(name, CancellationToken.None));
        Assert.Contains("without end", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_of_another_digest_are_refused()
    {
        string name = Offer(LoopbackModel.Generate("library/demo", "8b", 1000, seed: 2).Manifest);
        RegistryOptions.MaximumRetryCount = 1;
        using RegistryClient client = new(RegistryOptions);
        ModelFaultException fault = Assert.Throws<ModelFaultException>(() => client.GetManifest(ModelName.Parse($"{name}@{Digest}"), CancellationToken.None));
        Assert.Equal((ModelFault.DigestMismatch, Digest), (fault.Fault, fault.Facts.Digest));
    }

    private string Offer(byte[] manifest)
    {
        string name = Registry.Offer(_model);
        Registry.Fault = (request, answer) =>
        {
            if (request.Path.EndsWith(Digest, StringComparison.Ordinal) && !request.IsBlob)
            {
                answer.Become(200, System.Text.Encoding.UTF8.GetString(manifest), "text/plain");
            }
        };
        return name;
    }
}
