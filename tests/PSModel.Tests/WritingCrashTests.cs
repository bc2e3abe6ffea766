using System.Text.Json;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>Saves over a model of a later Ollama, really killed between the steps of writing.</summary>
public sealed class WritingCrashTests : IAsyncLifetime, IDisposable
{
    private static readonly string[] Entry = ["ollama.com", "library", "demo", "latest"];
    private static readonly string[] Plain = ["registry.ollama.ai", "library", "demo", "latest"];

    private readonly LoopbackRegistry _registry = LoopbackRegistry.Start();
    private readonly TemporaryFolder _folder = new();
    private readonly LoopbackModel _old = LoopbackModel.Generate("library/demo", "latest", 5000, seed: 2);
    private readonly LoopbackModel _new = LoopbackModel.Generate("library/demo", "latest", 2_000_000);
    private readonly OllamaStore _store;

    public WritingCrashTests()
    {
        _store = new OllamaStore(_folder.Path);
        _registry.Offer(_new);
    }

    [NeedsTheory("strace")]
    [InlineData("rename", ".psmodel", false)]
    [InlineData("fsync", "manifests", true)]
    [InlineData("unlink", "manifests-v2", true)]
    public async Task Every_model_is_whole_after_it_and_the_next_call_does_the_rest(string call, string where, bool isWritten)
    {
        _store.PutBlobs(_old);
        _store.PutEntry(EntryKind.Link, _old.Manifest, Entry);
        _store.PutManifest(OllamaStore.Anchored(_old.Manifest, _old.Manifest), Plain);
        string path = where switch
        {
            ".psmodel" => Path.Combine(_folder.Work, $"{Path.GetFileName(_folder.Blob(_new.Blobs[0].Digest))}.partial"),
            "manifests" => Path.GetDirectoryName(_store.ManifestPath(Plain))!,
            _ => _store.EntryPath(Entry),
        };
        string script = $"Save-ModelBlob demo '{_folder.Path}' -VerifyInline -Registry {_registry.Address.GetLeftPart(UriPartial.Authority)} | Out-Null";
        using ChildProcess killed = ChildProcess.Start("strace", ["-f", "-qq", "-o", "/dev/null", "-P", path, "-e", $"inject={call}:signal=KILL", "dotnet", .. Pwsh.WithModule(script)]);
        Assert.NotEqual(0, await killed.WaitAsync());

        Assert.Equal([_store.EntryPath(Entry), _store.ManifestPath(Plain)], Files("manifests*"));
        Assert.All(Files("manifests*"), AssertWhole);
        Assert.Equal(isWritten, File.ReadAllBytes(_store.ManifestPath(Plain)).AsSpan().SequenceEqual(_new.Manifest));

        using ChildProcess next = ChildProcess.StartScript(script);
        Assert.True(await next.WaitAsync() == 0, next.Error);
        Assert.Equal([_store.ManifestPath(Plain)], Files("manifests*"));
        Assert.Equal(_new.Manifest, File.ReadAllBytes(_store.ManifestPath(Plain)));
        AssertWhole(_store.ManifestPath(Plain));
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    public void Dispose() => _folder.Dispose();

    private string[] Files(string trees) =>
        [.. Directory.GetDirectories(_folder.Path, trees).SelectMany(tree => Directory.GetFiles(tree, "*", SearchOption.AllDirectories)).Order(StringComparer.Ordinal)];

    private void AssertWhole(string manifest)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(manifest));
        foreach (JsonElement layer in document.RootElement.GetProperty("layers").EnumerateArray().Append(document.RootElement.GetProperty("config")))
        {
            string digest = layer.GetProperty("digest").GetString()!;
            Assert.Equal(digest, _folder.DigestOf(digest));
        }
    }
}
