using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using PSModel.TestParts;
using Xunit.Abstractions;

namespace PSModel.Tests;

/// <summary>Real processes that remove, really killed.</summary>
public sealed class RemovalCrashTests(ITestOutputHelper output) : IDisposable
{
    private const int Models = 150;
    private const int Shared = 15;

    private readonly TemporaryFolder _store = new();

    [Fact]
    public async Task After_a_kill_at_any_moment_every_model_has_its_blobs_and_the_next_call_leaves_nothing_behind()
    {
        int wanted = OperatingSystem.IsWindows() ? 2 : 4;
        Random random = new(5);
        int killed = 0;
        int aside = 0;
        int rounds = 0;
        while (killed < wanted)
        {
            // On a busy machine a removal can be done before the kill comes; such a round is one more check, and does not count.
            Assert.True(++rounds <= 5 * wanted, $"only {killed} of {rounds} calls were killed in their work");
            FillStore();
            using ChildProcess process = ChildProcess.StartScript($"Remove-ModelBlob * '{_store.Path}'; Remove-ModelBlob -Unused -Force -StorePath '{_store.Path}'");
            int left = random.Next(Models / 3, Models);
            await Until.HoldsAsync(() => Manifests().Length <= left, TimeSpan.FromMinutes(1));
            await process.KillAsync();

            string[] manifests = Manifests();
            killed += manifests.Length > 0 ? 1 : 0;
            aside += Asides().Length;
            Assert.All(manifests, AssertWhole);

            using ChildProcess next = ChildProcess.StartScript($"Remove-ModelBlob -Unused -Force -StorePath '{_store.Path}'");
            Assert.True(await next.WaitAsync() == 0, next.Error);
            Assert.Empty(next.Error);
            Assert.Empty(Asides());
            Assert.All(manifests, AssertWhole);
            Assert.Equal(manifests.SelectMany(Named).Distinct().Order(StringComparer.Ordinal), Directory.GetFiles(_store.Blobs).Select(path => Path.GetFileName(path).Replace('-', ':')).Order(StringComparer.Ordinal));
        }

        output.WriteLine($"{killed} of {rounds} calls were killed, and {aside} blobs lay aside");
    }

    /// <summary>It is killed as it takes each of its steps.</summary>
    [NeedsTheory("strace")]
    [InlineData("unlink", "manifest")]
    [InlineData("rename", "config0")]
    [InlineData("rename", "weights0")]
    [InlineData("unlink", "config0")]
    [InlineData("unlink", "weights0")]
    public async Task A_kill_at_each_step_leaves_every_model_whole(string call, string what)
    {
        FillStore(models: 2, shared: 1);
        string path = what == "manifest" ? Manifest(0) : call == "rename" ? Blob(what) : Aside(what);
        using ChildProcess process = ChildProcess.Start(
            "strace",
            ["-f", "-qq", "-o", "/dev/null", "-P", path, "-e", $"inject={call}:signal=KILL", "dotnet", .. Pwsh.WithModule($"Remove-ModelBlob m0 '{_store.Path}'")]);
        Assert.NotEqual(0, await process.WaitAsync());

        Assert.All(Manifests(), AssertWhole);
        int models = Manifests().Length;
        using ChildProcess next = ChildProcess.StartScript($"Remove-ModelBlob -Unused -Force -StorePath '{_store.Path}'");
        Assert.True(await next.WaitAsync() == 0, next.Error);
        Assert.Empty(Asides());
        Assert.Equal(models == 2 ? 5 : 3, Directory.GetFiles(_store.Blobs).Length);
        Assert.All(Manifests(), AssertWhole);
    }

    [NeedsFact("strace")]
    public async Task However_many_are_removed_the_manifests_of_the_others_are_read_a_few_times()
    {
        FillStore(models: 60);
        string log = Path.Combine(_store.Path, "opened");
        using ChildProcess process = ChildProcess.Start(
            "strace",
            ["-f", "-qq", "-o", log, "-P", Manifest(0), "-e", "trace=openat", "dotnet", .. Pwsh.WithModule($"Get-ModelManifest -Local -StorePath '{_store.Path}' | Where-Object Name -ne m0:latest | Remove-ModelBlob -StorePath '{_store.Path}'")]);
        Assert.True(await process.WaitAsync() == 0, process.Error);
        Assert.Equal([Manifest(0)], Manifests());
        Assert.InRange(File.ReadLines(log).Count(line => line.Contains(Manifest(0), StringComparison.Ordinal)), 1, 10);
    }

    public void Dispose() => _store.Dispose();

    private static IEnumerable<string> Named(string manifest)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(manifest));
        return [.. document.RootElement.GetProperty("layers").EnumerateArray().Select(layer => layer.GetProperty("digest").GetString()!), document.RootElement.GetProperty("config").GetProperty("digest").GetString()!];
    }

    private void AssertWhole(string manifest) => Assert.All(Named(manifest), digest => Assert.Equal(digest, _store.DigestOf(digest)));

    /// <summary>Each model has a config and a layer of its own, and one that ten share.</summary>
    private void FillStore(int models = Models, int shared = Shared)
    {
        OllamaStore store = new(_store.Path);
        for (int i = 0; i < models; i++)
        {
            byte[][] blobs = [Bytes($"config{i}"), Bytes($"weights{i}"), Bytes($"shared{i % shared}")];
            Array.ForEach(blobs, blob => store.PutBlob(blob));
            store.PutManifest(
                JsonSerializer.SerializeToUtf8Bytes(new
                {
                    schemaVersion = 2,
                    config = new { mediaType = "application/vnd.docker.container.image.v1+json", digest = OllamaStore.DigestOf(blobs[0]), size = blobs[0].Length },
                    layers = blobs.Skip(1).Select(blob => new { mediaType = "application/vnd.ollama.image.model", digest = OllamaStore.DigestOf(blob), size = blob.Length }),
                }),
                "registry.ollama.ai", "library", $"m{i}", "latest");
        }
    }

    private static byte[] Bytes(string text) => [.. Encoding.UTF8.GetBytes(text), .. SHA256.HashData(Encoding.UTF8.GetBytes(text))];

    private string Blob(string text) => _store.Blob(OllamaStore.DigestOf(Bytes(text)));

    private string Aside(string text) => Path.Combine(_store.Work, $"{Path.GetFileName(Blob(text))}.aside");

    private string Manifest(int model) => new OllamaStore(_store.Path).ManifestPath("registry.ollama.ai", "library", $"m{model}", "latest");

    private string[] Manifests()
    {
        try
        {
            string tree = Path.Combine(_store.Path, "manifests");
            return Directory.Exists(tree) ? Directory.GetFiles(tree, "*", SearchOption.AllDirectories) : [];
        }
        catch (DirectoryNotFoundException)
        {
            // A folder went away meanwhile; the next look tells.
            return [.. Enumerable.Repeat(string.Empty, Models)];
        }
    }

    private string[] Asides() => Directory.GetFiles(_store.Work, "*.aside");
}
