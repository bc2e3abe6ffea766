using PSModel.Core.Faults;
using PSModel.Core.Folders;
using PSModel.Core.Names;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Core.Tests.Folders;

/// <summary>An OCI image layout as the place where models come from.</summary>
public sealed class LayoutSourceTests : FolderTests
{
    private const string RefName = "org.opencontainers.image.ref.name";
    private const string ImageName = "io.containerd.image.name";

    private OciLayout Layout => new(From.Path);

    [Theory]
    [InlineData("demo:1b", ImageName, "registry.ollama.ai/library/demo:1b", RefName, "1b")]
    [InlineData("demo:1b", RefName, "demo:1b")]
    [InlineData("demo:1b", RefName, "1b")]
    [InlineData("whatever:1b", RefName, "1b")]
    [InlineData("demo:9b", RefName, "1b")]
    [InlineData("demo:9b")]
    [InlineData("registry.example/sub/project/demo:1b", ImageName, "registry.example/group/sub/project/demo:1b")]
    public async Task A_model_is_found_by_what_its_entry_says(string name, params string[] annotations)
    {
        name = name.Replace("sub/project/demo", "project/demo", StringComparison.Ordinal);
        Layout.Put(Model, annotations);
        await SaveFromAsync(name);
        Assert.Equal(Model.Manifest, Store.Manifests.Read(ModelName.Parse(name)).GetBytes());
        Assert.Equal(Weights, Folder.DigestOf(Weights));
        Assert.Equal(5, Watcher.All.Count);
    }

    [Fact]
    public async Task Of_several_models_each_is_found_by_its_name_and_by_no_other()
    {
        LoopbackModel other = LoopbackModel.Generate("library/other", "1b", 1000, seed: 2);
        OciLayout layout = Layout;
        layout.Put(Model, ImageName, "registry.ollama.ai/library/demo:1b", RefName, "1b");
        layout.Put(other, ImageName, "registry.ollama.ai/library/other:1b", RefName, "other:1b");
        await SaveFromAsync("demo:1b", "other:1b");
        Assert.Equal(Model.Manifest, Store.Manifests.Read(ModelName.Parse("demo:1b")).GetBytes());
        Assert.Equal(other.Manifest, Store.Manifests.Read(ModelName.Parse("other:1b")).GetBytes());

        ModelFaultException fault = await FailAsync("third:1b");
        Assert.Equal(ModelFault.ManifestNotFound, fault.Fault);
        Assert.Contains("it has demo:1b, other:1b.", fault.Message, StringComparison.Ordinal);
        using FolderSource source = FolderSource.Open(From.Path, RegistryOptions);
        Assert.Equal(["demo:1b", "other:1b"], source.FindNames().Select(name => name.Shortest));
        Assert.Equal(["other:1b"], source.GetTags(ModelName.Parse("other"), default).Select(name => name.Shortest));
    }

    [Fact]
    public async Task Two_models_that_tell_the_same_tag_are_not_told_apart_by_it_but_by_their_digests()
    {
        OciLayout layout = Layout;
        layout.Put(Model, RefName, "1b");
        layout.Put(LoopbackModel.Generate("library/other", "1b", 1000, seed: 2), RefName, "1b");
        Assert.Equal(ModelFault.ManifestNotFound, (await FailAsync("demo:1b")).Fault);
        await SaveFromAsync($"demo:1b@{OllamaStore.DigestOf(Model.Manifest)}");
        Assert.Equal(Weights, Folder.DigestOf(Weights));
        Assert.Equal(ModelFault.ManifestNotFound, (await FailAsync($"demo:1b@sha256:{new string('0', 64)}")).Fault);
    }

    [Fact]
    public async Task What_is_damaged_is_named()
    {
        Layout.Put(Model, RefName, "1b");
        Flip(Layout.Blob(Weights), 5);
        ModelFaultException fault = await FailAsync("demo:1b");
        Assert.Equal(ModelFault.DigestMismatch, fault.Fault);
        Assert.Equal(Layout.Blob(Weights), fault.Facts.Path);

        string manifest = Layout.Blob(OllamaStore.DigestOf(Model.Manifest));
        Flip(manifest, 20);
        fault = await FailAsync("demo:1b");
        Assert.Equal(ModelFault.DigestMismatch, fault.Fault);
        Assert.Equal(manifest, fault.Facts.Path);
        File.Delete(manifest);
        Assert.Equal(ModelFault.ManifestNotFound, (await FailAsync("demo:1b")).Fault);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"manifests\":{}}")]
    [InlineData("{\"manifests\":[1]}")]
    [InlineData("{\"manifests\":[{\"digest\":\"sha256:../../../../etc/passwd\"}]}")]
    [InlineData("{\"manifests\":[{\"digest\":5}]}")]
    public async Task An_index_that_is_none_is_told_of(string index)
    {
        Layout.Put(Model);
        string path = Path.Combine(From.Path, "index.json");
        File.WriteAllText(path, index);
        ModelFaultException fault = await FailAsync("demo:1b");
        Assert.Equal(ModelFault.ManifestInvalid, fault.Fault);
        Assert.Contains(path, fault.Message, StringComparison.Ordinal);
    }
}
