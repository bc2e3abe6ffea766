using System.Text;
using System.Text.Json;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Registry;
using PSModel.Core.Store;
using PSModel.Core.Transfer;
using PSModel.Loopback;

namespace PSModel.Core.Tests.Stores;

/// <summary>Models that were packed for Docker's model runner, or as ModelPack, are saved as models of Ollama.</summary>
public sealed class ForeignModelTests : EngineTests
{
    private const string DockerConfigType = "application/vnd.docker.ai.model.config.v0.1+json";
    private const string PackConfigType = "application/vnd.cncf.model.config.v1+json";
    private const string DockerConfig = """{"config":{"format":"gguf","quantization":"Q4_K_M","parameters":"361.82 M","architecture":"llama","size":"256.35 MiB"},"descriptor":{"created":"2025-01-01T00:00:00Z"},"files":[]}""";
    private const string PackConfig = """{"descriptor":{"family":"qwen2","name":"x"},"config":{"architecture":"transformer","format":"gguf","paramSize":"8b","quantization":"q8_0"},"modelfs":{"type":"layers","diffIds":[]}}""";

    private readonly BlobContent _weights = BlobContent.Generate(3 * MB, 1);
    private readonly BlobContent _other = BlobContent.Generate(1000, 2);
    private readonly BlobContent _license = BlobContent.Of(Encoding.UTF8.GetBytes("do as you like"));

    private byte[]? _served;

    public static TheoryData<string, string, string, string, string> Gguf => new()
    {
        { DockerConfigType, DockerConfig, "application/vnd.docker.ai.gguf.v3", "", "llama|361.82 M|Q4_K_M" },
        { PackConfigType, PackConfig, "application/vnd.cncf.model.weight.v1.gguf", "", "qwen2|8b|q8_0" },
        { PackConfigType, PackConfig, "application/vnd.cncf.model.weight.v1.raw", "model-Q8.gguf", "qwen2|8b|q8_0" },
        { PackConfigType, PackConfig, "application/vnd.cncf.model.weight.v1.raw", "", "qwen2|8b|q8_0" },
        { DockerConfigType, "{}", "application/vnd.docker.ai.gguf.v3", "", "||" },
    };

    [Theory]
    [MemberData(nameof(Gguf))]
    public async Task Its_weights_are_saved_as_they_are_and_a_config_and_a_manifest_for_Ollama_beside_them(string configType, string config, string type, string path, string facts)
    {
        string name = Offer(configType, config, (type, _weights, path), ("application/vnd.docker.ai.license", _license, string.Empty), ("application/vnd.docker.ai.chat.template.file", _other, string.Empty));
        await Watcher.SaveAsync(this, name);
        ModelStore store = new(Folder.Path);
        Manifest stored = store.Manifests.Read(ModelName.Parse(name));
        Assert.Equal(["Model", "License"], stored.Layers.Select(layer => layer.Kind));
        Assert.Equal("application/vnd.docker.container.image.v1+json", stored.Config!.MediaType);
        Assert.Equal(_weights.Digest, Folder.DigestOf(_weights.Digest));
        using JsonDocument made = JsonDocument.Parse(await File.ReadAllBytesAsync(Folder.Blob(stored.Config.Digest.ToString())));
        string Fact(string property) => made.RootElement.GetProperty(property).GetString()!;
        Assert.Equal(("gguf", facts), (Fact("model_format"), $"{Fact("model_family")}|{Fact("model_type")}|{Fact("file_type")}"));
        Assert.Equal([_weights.Digest, _license.Digest], made.RootElement.GetProperty("rootfs").GetProperty("diff_ids").EnumerateArray().Select(id => id.GetString()));

        // The origin's digest, and the same bytes at every time.
        using JsonDocument manifest = JsonDocument.Parse(stored.GetBytes());
        Assert.Equal(BlobDigest.Of(_served!).ToString(), manifest.RootElement.GetProperty("annotations").GetProperty("org.psmodel.origin.digest").GetString());
        Registry.Fault = (request, answer) => Assert.True(!request.IsBlob || request.Leaf != _weights.Digest);
        Watcher.All.Clear();
        await Watcher.SaveAsync(this, name);
        Assert.All(Watcher.All, blob => Assert.Equal(BlobOutcome.AlreadyPresent, blob.Outcome));
        Assert.Equal(stored.Digest, store.Manifests.Read(ModelName.Parse(name)).Digest);
    }

    [Theory]
    [InlineData("{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}", "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n", "<|im_end|>")]
    [InlineData("<|start_header_id|>{{ role }}<|end_header_id|>{{ content }}<|eot_id|>", "<|start_header_id|>user<|end_header_id|>\n\nhi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n", "<|eot_id|>")]
    [InlineData("<start_of_turn>{{ role }}\n{{ content }}<end_of_turn>", "<start_of_turn>user\nhi<end_of_turn>\n<start_of_turn>model\n", "<end_of_turn>")]
    [InlineData("<|user|>{{ content }}<|end|><|assistant|>", "<|user|>\nhi<|end|>\n<|assistant|>\n", "<|end|>")]
    [InlineData("[INST] {{ content }} [/INST]", "[INST] hi [/INST]", "[INST]")]
    public async Task A_template_whose_marks_are_known_becomes_one_of_Ollama_with_its_stop_words(string jinja, string said, string stop)
    {
        string name = Offer(DockerConfigType, DockerConfig, ("application/vnd.docker.ai.gguf.v3", _weights, string.Empty), ("application/vnd.docker.ai.chat.template.jinja", BlobContent.Of(Encoding.UTF8.GetBytes(jinja)), string.Empty));
        await Watcher.SaveAsync(this, name);
        Manifest stored = new ModelStore(Folder.Path).Manifests.Read(ModelName.Parse(name));
        Assert.Equal(["Model", "Template", "Params"], stored.Layers.Select(layer => layer.Kind));
        Assert.DoesNotContain(Watcher.Told, told => told.Contains("TEMPLATE", StringComparison.Ordinal));

        string template = await File.ReadAllTextAsync(Folder.Blob(stored.Layers[1].Digest.ToString()));
        Assert.Equal(said, Say(template, "user", "hi"));
        using JsonDocument parameters = JsonDocument.Parse(await File.ReadAllBytesAsync(Folder.Blob(stored.Layers[2].Digest.ToString())));
        Assert.Contains(stop, parameters.RootElement.GetProperty("stop").EnumerateArray().Select(word => word.GetString()));

        // They are made again where they are gone, since no registry has them.
        File.Delete(Folder.Blob(stored.Layers[1].Digest.ToString()));
        await Watcher.SaveAsync(this, name);
        Assert.Equal(template, await File.ReadAllTextAsync(Folder.Blob(stored.Layers[1].Digest.ToString())));
    }

    /// <summary>A model of two thousand tensors has a manifest of half a megabyte, and each of them is looked for.</summary>
    [Fact]
    public void A_manifest_is_not_read_again_for_each_of_its_blobs()
    {
        LoopbackModel model = LoopbackModel.GenerateMany("library/demo", "latest", 2000, 10);
        Manifest manifest = ManifestReader.Read(ModelName.Parse("demo"), "test", model.Manifest);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.All(manifest.Layers, layer => Assert.Null(ForeignModel.TryContentOf(manifest, layer)));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 20L * model.Manifest.Length);
    }

    [Fact]
    public async Task A_template_that_is_not_known_is_told_of()
    {
        string name = Offer(DockerConfigType, DockerConfig, ("application/vnd.docker.ai.gguf.v3", _weights, string.Empty), ("application/vnd.docker.ai.chat.template.jinja", BlobContent.Of("{{ messages }}"u8.ToArray()), string.Empty));
        await Watcher.SaveAsync(this, name);
        Assert.Equal(["Model"], new ModelStore(Folder.Path).Manifests.Read(ModelName.Parse(name)).Layers.Select(layer => layer.Kind));
        Assert.Contains(Watcher.Told, told => told.Contains("TEMPLATE", StringComparison.Ordinal));
    }

    /// <summary>What Go makes of the few actions that the templates have, for one message.</summary>
    private static string Say(string template, string role, string content)
    {
        string text = template.Replace("{{- range .Messages }}", string.Empty, StringComparison.Ordinal);
        text = System.Text.RegularExpressions.Regex.Replace(text, "{{ if eq .Role \"assistant\" }}.*?{{ else }}(.*?){{ end }}", "$1");
        return text.Replace("{{ .Role }}", role, StringComparison.Ordinal).Replace("{{ .Content }}", content, StringComparison.Ordinal).Replace("{{ end }}", string.Empty, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_config_that_was_made_is_made_again_where_it_is_damaged_or_gone()
    {
        string name = Offer(DockerConfigType, DockerConfig, ("application/vnd.docker.ai.gguf.v3", _weights, string.Empty));
        await Watcher.SaveAsync(this, name);
        ModelStore store = new(Folder.Path);
        Manifest stored = store.Manifests.Read(ModelName.Parse(name));
        string path = Folder.Blob(stored.Config!.Digest.ToString());
        byte[] right = await File.ReadAllBytesAsync(path);
        File.Delete(path);
        using RegistryClient client = new(RegistryOptions);
        await SaveStoredAsync();
        Assert.Equal(right, await File.ReadAllBytesAsync(path));

        byte[] damaged = (byte[])right.Clone();
        damaged[5] ^= 1;
        await File.WriteAllBytesAsync(path, damaged);
        Options.Repair = true;
        await SaveStoredAsync();
        Assert.Equal(right, await File.ReadAllBytesAsync(path));

        Task SaveStoredAsync() => new ModelSaver(client, store, Options).SaveAsync([new ModelRequest(name, _ => stored)], [], Watcher, CancellationToken.None);
    }

    [Theory]
    [InlineData(PackConfigType, "application/vnd.cncf.model.weight.v1.tar", "", "'application/vnd.cncf.model.weight.v1.tar'")]
    [InlineData(PackConfigType, "application/vnd.cncf.model.weight.v1.raw", "model.safetensors", "'model.safetensors'")]
    [InlineData(DockerConfigType, "application/vnd.docker.ai.safetensors", "", "'application/vnd.docker.ai.safetensors'")]
    public void Other_weights_are_refused_by_what_they_are(string configType, string type, string path, string told)
    {
        ModelFaultException fault = Refused(configType, (type, _weights, path));
        Assert.Contains(told, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Weights_in_several_files_are_refused() =>
        Assert.Contains("2 GGUF files", Refused(DockerConfigType, ("application/vnd.docker.ai.gguf.v3", _weights, string.Empty), ("application/vnd.docker.ai.gguf.v3", _other, string.Empty)).Message, StringComparison.Ordinal);

    [Fact]
    public void What_was_served_can_still_be_had()
    {
        string name = Offer(DockerConfigType, DockerConfig, ("application/vnd.docker.ai.gguf.v3", _weights, string.Empty));
        using RegistryClient client = new(RegistryOptions);
        Assert.Equal(_served, client.GetManifest(ModelName.Parse(name), CancellationToken.None).GetServedBytes());
    }

    private ModelFaultException Refused(string configType, params (string Type, BlobContent Content, string Path)[] layers)
    {
        string name = Offer(configType, PackConfig, layers);
        using RegistryClient client = new(RegistryOptions);
        ModelFaultException fault = Assert.Throws<ModelFaultException>(() => client.GetManifest(ModelName.Parse(name), CancellationToken.None));
        Assert.Equal(ModelFault.ManifestInvalid, fault.Fault);
        return fault;
    }

    private string Offer(string configType, string config, params (string Type, BlobContent Content, string Path)[] layers)
    {
        RegistryOptions.MaximumRetryCount = 0;
        BlobContent configBlob = BlobContent.Of(Encoding.UTF8.GetBytes(config));
        object Entry(string mediaType, BlobContent content, string path) => new
        {
            mediaType,
            digest = content.Digest,
            size = content.Length,
            annotations = path.Length == 0 ? [] : new Dictionary<string, string> { ["org.cncf.model.filepath"] = path },
        };
        _served = JsonSerializer.SerializeToUtf8Bytes(new
        {
            schemaVersion = 2,
            mediaType = "application/vnd.oci.image.manifest.v1+json",
            artifactType = "application/vnd.cncf.model.manifest.v1+json",
            config = Entry(configType, configBlob, string.Empty),
            layers = layers.Select(layer => Entry(layer.Type, layer.Content, layer.Path)).ToArray(),
        });
        Registry.OfferBlob(configBlob.Digest, configBlob);
        return Registry.Offer(LoopbackModel.OfBlobs("ai/llama", "8b", layers.Select(layer => layer.Content)).WithManifest(_served));
    }
}
