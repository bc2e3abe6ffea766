using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>Models from other places than their names tell: real registries, mirrors, and a cache that is filled while it serves.</summary>
public sealed class SourceTests : IDisposable
{
    private readonly TemporaryFolder _store = new();
    private readonly EngineSession _session = new();
    private readonly LoopbackModel _model = LoopbackModel.Generate("group/sub/project/llama", "8b", 5_000_000);

    [NeedsFact(DockerRegistry.Program)]
    public async Task A_long_path_comes_under_a_name_of_the_store_and_pinned_and_is_listed_and_fetched_again()
    {
        using DockerRegistry registry = await DockerRegistry.StartAsync();
        string source = await registry.PushAsync(_model);
        string digest = OllamaStore.DigestOf(_model.Manifest);

        Assert.Equal(["Downloaded", "Downloaded", "Downloaded", "Downloaded", "Downloaded"], Texts(Save($"llama:8b -Source '{source}'")));
        Assert.Equal(["llama:8b"], Texts(_session.Run($"Get-ModelManifest -Local -StorePath '{_store.Path}' | ForEach-Object Name")));
        Assert.Equal(["AlreadyPresent", "AlreadyPresent", "AlreadyPresent", "AlreadyPresent", "AlreadyPresent"], Texts(Save($"llama:8b -Source '{source}@{digest}'")));
        Assert.Equal([digest], Texts(_session.Run($"Get-ModelManifest -Source '{source}' | ForEach-Object Digest")));
        Assert.Equal(["8b"], Texts(_session.Run($"Get-ModelManifest -Source '{source}' -ListTag | ForEach-Object Tag")));
        Assert.Equal([digest], Texts(_session.Run($"Get-ModelManifest other -Source '{source}' | ForEach-Object Digest")));

        // What is piped to the repair knows where the model came from.
        string damaged = Path.Combine(_store.Path, "blobs", _model.Blobs[0].Digest.Replace(':', '-'));
        byte[] bytes = await File.ReadAllBytesAsync(damaged);
        bytes[1_000_000] ^= 1;
        await File.WriteAllBytesAsync(damaged, bytes);
        EngineResult repaired = _session.Run($"Test-ModelBlob llama:8b '{_store.Path}' | Where-Object Status -ne Valid | Save-ModelBlob -StorePath '{_store.Path}' -Repair | ForEach-Object Status");
        Assert.Empty(repaired.Errors);
        Assert.Equal(["Repaired"], Texts(repaired));
    }

    [NeedsFact(DockerRegistry.Program)]
    public async Task A_cache_that_is_filled_while_it_serves_and_a_mirror_that_is_dead_are_as_good()
    {
        LoopbackModel model = LoopbackModel.Generate("library/demo", "latest", 20_000_000);
        using DockerRegistry registry = await DockerRegistry.StartAsync();
        await registry.PushAsync(model);
        using DockerRegistry cache = await DockerRegistry.StartCacheAsync(registry.Address);
        EngineResult saved = Save($"demo -Registry 'http://127.0.0.1:{FreePort.Find()}', '{cache.Address}', '{registry.Address}' -ConnectionTimeoutSeconds 20");
        Assert.Empty(saved.Errors);
        Assert.Equal(5, Texts(saved).Count(status => status == "Downloaded"));
        Assert.Equal(model.Blobs[0].Digest, OllamaStore.DigestOf(await File.ReadAllBytesAsync(Path.Combine(_store.Path, "blobs", model.Blobs[0].Digest.Replace(':', '-')))));
    }

    /// <summary>As registry.ollama.ai serves its manifests: this is what the README says of such mirrors.</summary>
    [NeedsFact(DockerRegistry.Program)]
    public async Task A_pull_through_registry_has_no_manifest_that_its_source_serves_as_plain_text()
    {
        await using LoopbackRegistry registry = LoopbackRegistry.Start();
        registry.Offer(LoopbackModel.Generate("library/demo", "latest", 1_000_000));
        using DockerRegistry cache = await DockerRegistry.StartCacheAsync(registry.Address);
        Save($"demo -Registry '{cache.Address}'").SingleError("ManifestNotFound", System.Management.Automation.ErrorCategory.ObjectNotFound);

        registry.Fault = (request, answer) => answer.Headers["Content-Type"] = request.IsBlob ? "application/octet-stream" : "application/vnd.docker.distribution.manifest.v2+json";

        // It tells of whatever went wrong on its way to the source as of a manifest that is not there.
        Assert.Contains(Enumerable.Range(0, 5), _ => Save($"demo -Registry '{cache.Address}'").Errors.Count == 0);
    }

    [NeedsFact(DockerRegistry.Program)]
    public async Task A_mirror_that_dies_in_mid_download_gives_way_to_the_next()
    {
        LoopbackModel model = LoopbackModel.Generate("library/demo", "latest", 20_000_000);
        using DockerRegistry registry = await DockerRegistry.StartAsync();
        await registry.PushAsync(model);
        await using LoopbackRegistry dying = LoopbackRegistry.Start();
        dying.Offer(model);
        dying.Fault = (request, answer) => answer.CutAfter = request.IsBlob ? 300_000 : null;
        EngineResult saved = Save($"demo -Registry '{dying.Address}', '{registry.Address}' -RetryIntervalSec 0");
        Assert.Empty(saved.Errors);
        Assert.Equal(5, Texts(saved).Count(status => status == "Downloaded"));
        Assert.True(dying.BlobBytesSent > 0);
    }

    /// <summary>What another tool pushed is a model all the same, byte for byte. Of Docker's manifests skopeo takes no layers of Ollama's.</summary>
    [NeedsFact(DockerRegistry.Program, "skopeo")]
    public async Task What_skopeo_copied_to_another_registry_is_fetched_from_there()
    {
        using DockerRegistry from = await DockerRegistry.StartAsync();
        using DockerRegistry to = await DockerRegistry.StartAsync();
        LoopbackModel model = _model.OfOci();
        await from.PushAsync(model);
        await ChildProcess.RunAsync(
            "skopeo",
            "copy",
            "--insecure-policy",
            "--preserve-digests",
            "--src-tls-verify=false",
            "--dest-tls-verify=false",
            $"docker://{from.Address.Authority}/{_model.Name}:8b",
            $"docker://{to.Address.Authority}/copies/of/llama:8b");
        EngineResult saved = Save($"llama:8b -Source 'http://{to.Address.Authority}/copies/of/llama:8b@{OllamaStore.DigestOf(model.Manifest)}'");
        Assert.Empty(saved.Errors);
        Assert.Equal(5, Texts(saved).Count(status => status == "Downloaded"));
    }

    [NeedsFact(DockerRegistry.Program)]
    public async Task A_model_for_Dockers_runner_becomes_one_of_Ollama_and_Raw_is_what_was_served()
    {
        LoopbackModel model = ForeignModels.OfDockersRunner("""{"config":{"format":"gguf","quantization":"Q4_K_M","parameters":"8 B","architecture":"llama"}}""");
        using DockerRegistry registry = await DockerRegistry.StartAsync();
        string name = await registry.PushAsync(model);
        Assert.Equal([System.Text.Encoding.UTF8.GetString(model.Manifest)], Texts(_session.Run($"Get-ModelManifest {name} -Raw")));
        Assert.Equal(["Downloaded", "Downloaded"], Texts(_session.Run($"Get-ModelManifest {name} | Save-ModelBlob -StorePath '{_store.Path}' -VerifyInline | ForEach-Object {{ \"$($_.Status)\" }}")));
        Assert.Equal(["Valid", "Valid"], Texts(_session.Run($"Test-ModelBlob {name} '{_store.Path}' | ForEach-Object {{ \"$($_.Status)\" }}")));
        Assert.Equal(["Config Model"], Texts(_session.Run($"Get-ModelManifest {name} -Local -StorePath '{_store.Path}' | ForEach-Object {{ \"$($_.Config.Kind) $($_.Layers.Kind)\" }}")));
    }

    [Theory]
    [InlineData("Save-ModelBlob demo -Source group/llama", "is no registry's host")]
    [InlineData("Save-ModelBlob demo -Source 'me:word@ghcr.io/me/llama'", "user name or a password")]
    [InlineData("Save-ModelBlob demo -Source ghcr.io/me/llama -Registry https://x.example", "cannot both be given")]
    [InlineData("Save-ModelBlob demo, other -Source 127.0.0.1:1/me/llama", "the place of one model")]
    [InlineData("'demo', 'other' | Save-ModelBlob -Source 127.0.0.1:1/me/llama -MaximumRetryCount 0", "the place of one model")]
    [InlineData("Get-ModelManifest -Local -Source ghcr.io/me/llama", "cannot both be given")]
    [InlineData("Save-ModelBlob demo -Source http://registry.example/me/llama", "plain http")]
    public void What_does_not_fit_is_told_before_anything_is_fetched(string command, string message)
    {
        EngineResult result = _session.Run($"try {{ {command}{(command.Contains("Save", StringComparison.Ordinal) ? $" -StorePath '{_store.Path}'" : string.Empty)} 2>&1 }} catch {{ \"$_\" }}");
        Assert.Contains(message, string.Concat(result.Output), StringComparison.Ordinal);
        Assert.DoesNotContain("word@", string.Concat(result.Output), StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_store.Path, "blobs")));
    }

    public void Dispose()
    {
        _session.Dispose();
        _store.Dispose();
    }

    private static IReadOnlyList<string> Texts(EngineResult result) => [.. result.Output.Select(item => $"{item}")];

    private EngineResult Save(string arguments) => _session.Run($"Save-ModelBlob {arguments} -StorePath '{_store.Path}' -VerifyInline | ForEach-Object {{ \"$($_.Status)\" }}");
}
