using System.Text;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Store;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Core.Tests.Stores;

/// <summary>Stores in which a later Ollama (change 16590) worked, in each of the states that it leaves them in.</summary>
public sealed class LaterStoreTests : IDisposable
{
    private static readonly LoopbackModel Model = LoopbackModel.Generate("library/demo", "8b", 1000);
    private static readonly LoopbackModel Other = LoopbackModel.Generate("library/demo", "8b", 1000, seed: 2);
    private static readonly ModelName Name = ModelName.Parse("demo:8b");
    private static readonly string[] Plain = ["registry.ollama.ai", "library", "demo", "8b"];
    private static readonly string[] Entry = ["ollama.com", "library", "demo", "8b"];

    private readonly TemporaryFolder _folder = new();
    private readonly OllamaStore _store;

    public LaterStoreTests() => _store = new OllamaStore(_folder.Path);

    /// <summary>Wine says that it makes symbolic links, and does not.</summary>
    public static TheoryData<EntryKind> Kinds => OperatingSystem.IsWindows() ? [EntryKind.HardLink, EntryKind.Copy] : [EntryKind.Link, EntryKind.HardLink, EntryKind.Copy];

    private StoredManifests Manifests => new ModelStore(_folder.Path).Manifests;

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_model_that_only_the_later_tree_has_is_there(EntryKind kind)
    {
        _store.PutEntry(kind, Model.Manifest, Entry);
        Assert.Equal([Name], Manifests.FindNames());
        Manifest read = Manifests.Read(Name);
        Assert.Equal((Name, Model.Manifest.Length), (read.Name, read.GetBytes().Length));
        Assert.Equal(Model.Manifest, read.GetBytes());
        Assert.Equal(_store.EntryPath(Entry), read.Source);
        Assert.Equal(Name, Manifests.Read(ModelName.Parse("ollama.com/library/DEMO:8B")).Name);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Where_both_have_it_the_later_one_counts_and_it_is_one_model(EntryKind kind)
    {
        _store.PutManifest(Other.Manifest, Plain);
        _store.PutEntry(kind, Model.Manifest, Entry);
        Assert.Equal([Name], Manifests.FindNames());
        Assert.Equal(Model.Manifest, Manifests.Read(Name).GetBytes());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void An_entry_that_leads_to_no_blob_is_passed_over(EntryKind kind)
    {
        _store.PutManifest(Other.Manifest, Plain);
        _store.PutEntry(kind, Model.Manifest, Entry);
        File.Delete(_store.PutBlob(Model.Manifest));
        Assert.Equal(Other.Manifest, Manifests.Read(Name).GetBytes());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Where_nothing_else_is_there_that_is_told(EntryKind kind)
    {
        _store.PutEntry(kind, Model.Manifest, Entry);
        File.Delete(_store.PutBlob(Model.Manifest));
        Assert.Equal([Name], Manifests.FindNames());
        ModelFaultException fault = Assert.Throws<ModelFaultException>(() => Manifests.Read(Name));
        Assert.Equal((ModelFault.ManifestNotFound, _store.EntryPath(Entry)), (fault.Fault, fault.Facts.Path));
        Assert.Contains("leads to no manifest", fault.Message, StringComparison.Ordinal);
        Assert.Contains("Save-ModelBlob demo:8b", fault.Facts.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void So_is_one_whose_blob_has_other_bytes()
    {
        _store.PutManifest(Other.Manifest, Plain);
        _store.PutEntry(EntryKind.Copy, Model.Manifest, Entry);
        File.AppendAllText(_store.PutBlob(Model.Manifest), " ");
        Assert.Equal(Other.Manifest, Manifests.Read(Name).GetBytes());
    }

    [NeedsFact("ln")]
    public void A_link_out_of_the_store_is_passed_over_although_the_bytes_are_those_of_a_blob()
    {
        _store.PutManifest(Other.Manifest, Plain);
        _store.PutBlob(Model.Manifest);
        using TemporaryFolder elsewhere = new();
        string target = Path.Combine(elsewhere.Path, "manifest");
        File.WriteAllBytes(target, Model.Manifest);
        Directory.CreateDirectory(Path.GetDirectoryName(_store.EntryPath(Entry))!);
        File.CreateSymbolicLink(_store.EntryPath(Entry), target);
        Assert.Equal(Other.Manifest, Manifests.Read(Name).GetBytes());
    }

    [Fact]
    public void A_port_is_written_in_another_way_there()
    {
        _store.PutEntry(EntryKind.Copy, Model.Manifest, "127.0.0.1%3A5000", "library", "demo", "8b");
        _store.PutEntry(EntryKind.Copy, Other.Manifest, "127.0.0.1%3a5001", "library", "demo", "8b");
        ModelName name = ModelName.Parse("127.0.0.1:5000/library/demo:8b");
        Assert.Equal([name, ModelName.Parse("127.0.0.1:5001/library/demo:8b")], Manifests.FindNames());
        Assert.Equal(Model.Manifest, Manifests.Read(name).GetBytes());
        Assert.Equal(Other.Manifest, Manifests.Read(ModelName.Parse("127.0.0.1:5001/library/demo:8b")).GetBytes());
    }

    [NeedsFact("ln")]
    public void An_entry_with_the_port_as_it_is_is_found_too_and_covers_nothing()
    {
        ModelName name = ModelName.Parse("127.0.0.1:5000/library/demo:8b");
        _store.PutEntry(EntryKind.Copy, Other.Manifest, "127.0.0.1:5000", "library", "demo", "8b");
        Assert.Equal([name], Manifests.FindNames());
        Assert.Equal(Other.Manifest, Manifests.Read(name).GetBytes());

        Manifests.Write(ManifestReader.Read(name, "test", Model.Manifest));
        Manifests.Uncover(name);
        Assert.Equal(Model.Manifest, Manifests.Read(name).GetBytes());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Both_names_of_the_default_host_are_one(bool isPlain)
    {
        if (isPlain)
        {
            _store.PutManifest(Model.Manifest, Entry);
        }
        else
        {
            _store.PutEntry(EntryKind.Copy, Model.Manifest, Plain);
        }

        Assert.Equal([Name], Manifests.FindNames());
        Assert.Equal(Model.Manifest, Manifests.Read(Name).GetBytes());
        foreach (string host in new[] { "Ollama.com", "Registry.Ollama.AI" })
        {
            Assert.Equal(Name, ModelName.Parse($"{host}/library/demo:8b"));
        }
    }

    [Fact]
    public void Anchors_are_no_layers_of_a_model_and_the_text_that_was_served_is_the_one_that_counts()
    {
        byte[] list = OllamaStore.ListOf(("llamacpp", "gguf", Model.Manifest));
        _store.PutBlob(list);
        _store.PutBlob(Model.Manifest);
        _store.PutManifest(OllamaStore.Anchored(Model.Manifest, list, Model.Manifest), Plain);
        Assert.Equal(Model.Manifest, Manifests.Read(Name).GetBytes());

        File.Delete(_store.PutBlob(Model.Manifest));
        Manifest read = Manifests.Read(Name);
        Assert.Equal(Model.Blobs.Select(blob => blob.Digest), read.Blobs.Select(layer => layer.Digest.ToString()));
        Assert.Equal(Model.Blobs.Sum(blob => blob.Length), read.Size);
    }

    [Fact]
    public void Of_a_list_the_manifest_is_read_that_Ollama_would_take_or_that_was_asked_for()
    {
        byte[] list = OllamaStore.ListOf(("mlx", "safetensors", Other.Manifest), ("llamacpp", "gguf", Model.Manifest));
        _store.PutEntry(EntryKind.Copy, list, Entry);
        _store.PutBlob(Model.Manifest);
        _store.PutBlob(Other.Manifest);

        Manifest read = Manifests.Read(Name);
        Assert.Equal(Model.Manifest, read.GetBytes());
        Assert.Equal(("llamacpp", "gguf", 2), (read.Runner, read.Format, read.Choices.Count));
        Assert.Equal(Other.Manifest, Manifests.Read(Name, "mlx").GetBytes());
        ModelFaultException none = Assert.Throws<ModelFaultException>(() => Manifests.Read(Name, "ggml"));
        Assert.Equal(ModelFault.ManifestNotFound, none.Fault);
        Assert.Contains("mlx, llamacpp", none.Message, StringComparison.Ordinal);

        // One of them is all that a pull brings.
        File.Delete(_store.PutBlob(Model.Manifest));
        Assert.Equal(Other.Manifest, Manifests.Read(Name).GetBytes());
        ModelFaultException gone = Assert.Throws<ModelFaultException>(() => Manifests.Read(Name, "llamacpp"));
        Assert.Contains("whose manifest is there", gone.Message, StringComparison.Ordinal);

        // Where none of them is, the list leads to nothing, and the other tree counts.
        File.Delete(_store.PutBlob(Other.Manifest));
        Assert.Contains("leads to no manifest", Assert.Throws<ModelFaultException>(() => Manifests.Read(Name)).Message, StringComparison.Ordinal);
        _store.PutManifest(Model.Manifest, Plain);
        Assert.Equal(Model.Manifest, Manifests.Read(Name).GetBytes());
    }

    [Fact]
    public void A_manifest_that_says_itself_what_runs_it_is_taken_at_its_word()
    {
        byte[] said = Encoding.UTF8.GetBytes($$"""{"runner":" MLX","format":"safetensors",{{Encoding.UTF8.GetString(Model.Manifest).TrimStart()[1..]}}""");
        _store.PutEntry(EntryKind.Copy, said, Entry);
        Manifest read = Manifests.Read(Name);
        Assert.Equal(("mlx", "safetensors", 0), (read.Runner, read.Format, read.Choices.Count));
        Assert.Equal(said, Manifests.Read(Name, "mlx").GetBytes());
        ModelFaultException fault = Assert.Throws<ModelFaultException>(() => Manifests.Read(Name, "llamacpp"));
        Assert.Equal(ModelFault.ManifestNotFound, fault.Fault);
        Assert.Contains("for the runner 'mlx'", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_list_within_a_list_is_told_of_as_that()
    {
        byte[] inner = OllamaStore.ListOf(("llamacpp", "gguf", Model.Manifest));
        _store.PutBlob(inner);
        _store.PutEntry(EntryKind.Copy, OllamaStore.ListOf(("llamacpp", "gguf", inner)), Entry);
        Assert.Contains("it is a list of manifests, and a single one belongs there", Assert.Throws<ModelFaultException>(() => Manifests.Read(Name)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_list_in_the_first_tree_without_its_manifests_is_told_of_as_that()
    {
        _store.PutManifest(OllamaStore.ListOf(("llamacpp", "gguf", Model.Manifest)), Plain);
        ModelFaultException fault = Assert.Throws<ModelFaultException>(() => Manifests.Read(Name));
        Assert.Contains("none of them is among its blobs", fault.Message, StringComparison.Ordinal);
        Assert.Contains("Save-ModelBlob demo:8b", fault.Facts.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_advised_for_a_model_of_plain_http_works_when_it_is_pasted()
    {
        ModelName name = ModelName.Parse("127.0.0.1:5000/library/demo:8b");
        Manifest manifest = ManifestReader.Read(name, "test", Model.Manifest);
        new OriginFile(new ModelStore(_folder.Path), name).Write(manifest.From("http://127.0.0.1:5000"), isInPlace: true);
        _store.PutEntry(EntryKind.Copy, Model.Manifest, "127.0.0.1%3A5000", "library", "demo", "8b");
        File.Delete(_store.PutBlob(Model.Manifest));
        ModelFaultException fault = Assert.Throws<ModelFaultException>(() => Manifests.Read(name));
        Assert.Contains("Save-ModelBlob http://127.0.0.1:5000/library/demo:8b", fault.Facts.Remedy, StringComparison.Ordinal);
    }

    [NeedsFact("mkfifo")]
    public async Task Where_what_is_there_cannot_be_read_the_advice_is_about_that_file()
    {
        string path = _store.ManifestPath(Plain);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await ChildProcess.RunAsync("mkfifo", path);
        ModelFaultException fault = Assert.Throws<ModelFaultException>(() => Manifests.Read(Name));
        Assert.Equal((ModelFault.ManifestInvalid, path), (fault.Fault, fault.Facts.Path));
        Assert.StartsWith("Check who may read it", fault.Facts.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void What_Ollama_keeps_there_for_itself_is_no_model()
    {
        string digits = new('a', 64);
        _store.PutEntry(EntryKind.Copy, Model.Manifest, Entry);
        foreach (string kept in new[] { "llamacpp", "ggml", "mlx", "ollama" })
        {
            _store.PutEntry(EntryKind.Copy, Model.Manifest, "ollama.com", "library", kept, digits);
            _store.PutManifest(Model.Manifest, "registry.ollama.ai", "library", kept, digits);
        }

        _store.PutManifest(Model.Manifest, "registry.ollama.ai", "library", "mlx", "latest");
        Assert.Equal(["demo:8b", "mlx:latest"], Manifests.FindNames().Select(name => name.Shortest));
    }

    [Theory]
    [InlineData("""{"schemaVersion":2,"config":{"mediaType":"application/vnd.docker.container.image.v1+json","digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":0},"layers":null}""", 1)]
    [InlineData("""{"schemaVersion":2,"config":{"mediaType":"application/vnd.docker.container.image.v1+json","digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":0}}""", 1)]
    [InlineData("""{"schemaVersion":2,"config":{"mediaType":"","digest":"","size":0},"layers":[]}""", 0)]
    [InlineData("""{"schemaVersion":2,"config":{"mediaType":"","digest":"","size":0},"layers":null}""", 0)]
    [InlineData("""{"schemaVersion":2,"config":{"mediaType":"","digest":"","size":0}}""", 0)]
    public void Models_that_run_elsewhere_and_models_without_layers_are_read_from_either_tree(string text, int blobs)
    {
        byte[] manifest = Encoding.UTF8.GetBytes(text);
        _store.PutManifest(manifest, "registry.ollama.ai", "library", "cloud", "latest");
        _store.PutEntry(EntryKind.Copy, manifest, "ollama.com", "library", "later", "latest");
        Assert.Equal(2, Manifests.FindNames().Count);
        Assert.All(Manifests.FindNames(), name => Assert.Equal(blobs, Manifests.Read(name).Blobs.Count));
    }

    [Fact]
    public void A_store_that_has_the_later_tree_alone_is_one()
    {
        Directory.CreateDirectory(Path.Combine(_folder.Path, "manifests-v2"));
        Assert.Empty(Manifests.FindNames());
    }

    public void Dispose() => _folder.Dispose();
}
