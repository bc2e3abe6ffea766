using System.Text.Json;
using System.Text.Json.Nodes;
using PSModel.Core.Faults;
using PSModel.Core.Publishing;
using PSModel.Core.Store;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Core.Tests.Publishing;

/// <summary>Models go into a folder that other tools read.</summary>
public sealed class LayoutTests : PublishTests
{
    private readonly Uri _registry = new("http://registry.example");
    private readonly LoopbackModel _model = LoopbackModel.Generate("library/demo", "1b", 3 * MB);

    private string Layout => Path.Combine(Folder.Path, "layout");

    private JsonArray Entries => (JsonArray)JsonNode.Parse(File.ReadAllBytes(Path.Combine(Layout, "index.json")))!["manifests"]!;

    private string FileOf(string digest) => Path.Combine(Layout, "blobs", "sha256", digest[7..]);

    private Task PublishToAsync(params string[] names) => PublishAsync(names, _ => new LayoutDestination(Layout, Told.Add));

    /// <summary>The entries of the manifests as the store has them.</summary>
    private IEnumerable<JsonNode> Originals => Entries.OfType<JsonNode>().Where(entry => entry["annotations"]?["org.psmodel.form.of"] is null);

    private IEnumerable<string> References => Entries.Select(entry => entry!["annotations"]!["org.opencontainers.image.ref.name"]!.GetValue<string>());

    [Fact]
    public async Task A_folder_becomes_a_layout_with_every_byte_and_a_second_call_changes_nothing()
    {
        string name = Put(_model, _registry);
        await PublishToAsync(name);
        Assert.Empty(Faults);
        Assert.Equal("{\"imageLayoutVersion\":\"1.0.0\"}", await File.ReadAllTextAsync(Path.Combine(Layout, "oci-layout")));
        Assert.All(_model.Blobs, blob => Assert.Equal(blob.Digest, OllamaStore.DigestOf(File.ReadAllBytes(FileOf(blob.Digest)))));
        JsonNode entry = Originals.Single();
        string digest = OllamaStore.DigestOf(_model.Manifest);
        Assert.Equal((digest, _model.Manifest.Length, "application/vnd.docker.distribution.manifest.v2+json"), (entry["digest"]!.GetValue<string>(), entry["size"]!.GetValue<int>(), entry["mediaType"]!.GetValue<string>()));
        Assert.Equal(["1b", "1b"], References);
        Assert.Equal(["registry.example/library/demo:1b"], Originals.Select(original => original["annotations"]!["io.containerd.image.name"]!.GetValue<string>()));
        Assert.Equal(_model.Manifest, await File.ReadAllBytesAsync(FileOf(digest)));

        SortedDictionary<string, string> before = Folder.Snapshot();
        await PublishToAsync(name);
        Assert.Equal(Digests(_model), Digests(PublishOutcome.AlreadyPresent));
        Assert.Equal(before, Folder.Snapshot());
    }

    [Fact]
    public async Task Models_of_one_tag_are_told_apart_and_one_that_is_published_again_takes_its_own_place()
    {
        LoopbackModel other = LoopbackModel.Generate("me/other", "1b", 2 * MB, seed: 2);
        await PublishToAsync(Put(_model, _registry), Put(other, _registry));
        Assert.Equal(["1b", "1b", "registry.example/me/other:1b", "registry.example/me/other:1b"], References);

        // What others wrote there stays.
        JsonObject index = (JsonObject)JsonNode.Parse(await File.ReadAllBytesAsync(Path.Combine(Layout, "index.json")))!;
        index["annotations"] = new JsonObject { ["mine"] = "yes" };
        ((JsonArray)index["manifests"]!).Add(new JsonObject { ["digest"] = "sha256:x" });
        await File.WriteAllTextAsync(Path.Combine(Layout, "index.json"), index.ToJsonString());
        LoopbackModel newer = LoopbackModel.Generate("library/demo", "1b", 3 * MB, seed: 5);
        await PublishToAsync(Put(newer, _registry));
        Assert.Empty(Faults);
        Assert.Equal([OllamaStore.DigestOf(newer.Manifest), OllamaStore.DigestOf(other.Manifest), "sha256:x"], Originals.Select(entry => entry["digest"]!.GetValue<string>()));
        Assert.Equal(5, Entries.Count);
        Assert.Equal("1b", Entries[0]!["annotations"]!["org.opencontainers.image.ref.name"]!.GetValue<string>());
        Assert.Contains("\"mine\"", await File.ReadAllTextAsync(Path.Combine(Layout, "index.json")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_blob_that_is_damaged_leaves_nothing_there()
    {
        string name = Put(_model, _registry);
        using (FileStream file = File.OpenWrite(BlobFile(_model.Blobs[0])))
        {
            file.Seek(MB, SeekOrigin.Begin);
            file.Write("damaged"u8);
        }

        await PublishToAsync(name);
        Assert.Equal(ModelFault.DigestMismatch, Assert.Single(Faults).Fault);
        Assert.False(File.Exists(FileOf(_model.Blobs[0].Digest)));
        Assert.False(File.Exists(Path.Combine(Layout, "index.json")));
        Assert.DoesNotContain(Directory.GetFiles(Path.Combine(Layout, ".psmodel")), path => path.EndsWith(".new", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_a_killed_call_left_of_a_blob_is_removed_and_what_another_one_writes_is_not()
    {
        string name = Put(_model, _registry);
        await PublishToAsync(name);
        File.Delete(FileOf(_model.Blobs[0].Digest));
        string[] unfinished = [.. Enumerable.Range(1, 2).Select(number => Path.Combine(Layout, ".psmodel", $"sha256-{number:d64}.new"))];
        Array.ForEach(unfinished, path => File.WriteAllText(path, "some bytes"));
        using BlobLock? held = BlobLock.TryAcquire(new ModelStore(Layout), Path.GetFileNameWithoutExtension(unfinished[1]));
        await PublishToAsync(name);
        Assert.Equal(unfinished[1..], Directory.GetFiles(Path.Combine(Layout, ".psmodel"), "*.new"));
    }

    [Fact]
    public async Task A_blob_of_another_size_that_lies_there_is_replaced()
    {
        string name = Put(_model, _registry);
        await PublishToAsync(name);
        Assert.Empty(Faults);
        await File.WriteAllTextAsync(FileOf(_model.Blobs[0].Digest), "short");
        await PublishToAsync(name);
        Assert.Empty(Faults);
        Assert.Equal(_model.Blobs[0].Digest, Digests(PublishOutcome.Published));
        Assert.Equal(_model.Blobs[0].Digest, OllamaStore.DigestOf(await File.ReadAllBytesAsync(FileOf(_model.Blobs[0].Digest))));
    }

    [Fact]
    public async Task A_folder_of_something_else_is_left_alone()
    {
        string name = Put(_model, _registry);
        Directory.CreateDirectory(Layout);
        await File.WriteAllTextAsync(Path.Combine(Layout, "letter.txt"), "x");
        await PublishToAsync(name);
        Assert.Equal(ModelFault.StoreNotWritable, Assert.Single(Faults).Fault);
        Assert.Equal(["letter.txt"], Directory.GetFileSystemEntries(Layout).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("[]")]
    [InlineData("{\"manifests\":3}")]
    public async Task An_index_that_is_none_is_left_as_it_is(string text)
    {
        string name = Put(_model, _registry);
        await PublishToAsync(name);
        await File.WriteAllTextAsync(Path.Combine(Layout, "index.json"), text);
        await PublishToAsync(name);
        Assert.Single(Faults);
        Assert.Equal(text, await File.ReadAllTextAsync(Path.Combine(Layout, "index.json")));
    }

    /// <summary>Somebody looks at each moment of its making.</summary>
    [Fact]
    public async Task A_folder_that_another_is_making_a_layout_is_one()
    {
        for (int i = 0; i < 100; i++)
        {
            LayoutFolder folder = new(new ModelStore(Path.Combine(Layout, $"{i}")));
            Task making = Task.Factory.StartNew(() => folder.Create(CancellationToken.None), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
            while (!making.IsCompleted)
            {
                folder.RequireOwn();
            }

            await making;
        }
    }

    [Fact]
    public async Task Those_who_publish_there_at_a_time_lose_no_entry()
    {
        string[] names = [.. Enumerable.Range(0, 12).Select(i => Put(LoopbackModel.GenerateMany($"me/model{i}", "latest", 3, 1000, seed: i), _registry))];
        await Task.WhenAll(names.Select(name => Task.Run(async () =>
        {
            using LayoutTests alone = new();
            await new ModelPublisher(new ModelStore(StorePath), new LayoutDestination(Layout, _ => { }), new PublishOptions()).PublishAsync([new PublishRequest(name, name)], [], alone, CancellationToken.None);
            Assert.Empty(alone.Faults);
        })));
        Assert.Equal(12, Originals.Count());
        Assert.Equal(12, References.Distinct().Count());
    }

    /// <summary>Of Docker's type, as registry.ollama.ai serves it, and of OCI's: skopeo carries a form of the former, with the same
    /// blobs, and the latter as it is.</summary>
    [NeedsTheory(DockerRegistry.Program, "skopeo")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Skopeo_reads_it_and_carries_it_to_a_registry(bool isOci)
    {
        using DockerRegistry registry = await DockerRegistry.StartAsync();
        LoopbackModel model = isOci ? _model.OfOci() : _model;
        await PublishToAsync(Put(model, _registry));
        Assert.Empty(Faults);
        using ChildProcess inspected = ChildProcess.Start("skopeo", ["inspect", "--raw", $"oci:{Layout}:1b"]);
        Assert.Equal(0, await inspected.WaitAsync());
        using JsonDocument shown = JsonDocument.Parse(inspected.Output);
        Assert.Equal(_model.Blobs[0].Digest, shown.RootElement.GetProperty("layers")[0].GetProperty("digest").GetString());
        await ChildProcess.RunAsync("skopeo", "copy", "--insecure-policy", "--preserve-digests", "--dest-tls-verify=false", $"oci:{Layout}:1b", $"docker://{registry.Address.Authority}/library/demo:1b");
        LoopbackModel carried = isOci ? model : model.WithManifest(await File.ReadAllBytesAsync(FileOf(FormOf("registry.example/library/demo:1b"))));
        await RequireSavedAsync(carried, $"{registry.Address.GetLeftPart(UriPartial.Authority)}/library/demo:1b");
    }

    [NeedsFact(DockerRegistry.Program, "oras")]
    public async Task Oras_carries_it_to_a_registry_byte_for_byte()
    {
        using DockerRegistry registry = await DockerRegistry.StartAsync();
        await PublishToAsync(Put(_model, _registry));
        Assert.Empty(Faults);
        await ChildProcess.RunAsync(NeedsFactAttribute.Find("oras")!, "copy", "--from-oci-layout", $"{Layout}:1b", "--to-plain-http", $"{registry.Address.Authority}/library/demo:1b");
        await RequireSavedAsync(_model, $"{registry.Address.GetLeftPart(UriPartial.Authority)}/library/demo:1b");
    }

    private string FormOf(string name) => Entries.Single(entry => entry!["annotations"]!["org.psmodel.form.of"]?.GetValue<string>() == name)!["digest"]!.GetValue<string>();
}
