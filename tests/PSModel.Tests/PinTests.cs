using System.Management.Automation;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>Lists that pin models: the same bytes on every machine, or an error.</summary>
public sealed class PinTests : IDisposable
{
    private readonly TemporaryFolder _store = new();
    private readonly TemporaryFolder _other = new();
    private readonly EngineSession _session = new();
    private readonly LoopbackModel _model = LoopbackModel.Generate("library/demo", "1b", 2_000_000);
    private readonly LoopbackModel _next = LoopbackModel.Generate("library/demo", "1b", 2_000_000, seed: 2);

    private string List => Path.Combine(_other.Path, "models.jsonl");

    [NeedsFact(DockerRegistry.Program)]
    public async Task A_tag_that_moves_is_saved_as_it_was_pinned_until_its_manifest_is_gone()
    {
        using DockerRegistry registry = await DockerRegistry.StartAsync();
        string name = await registry.PushAsync(_model);
        Run($"Get-ModelManifest {name} | Export-ModelPin '{List}'");
        Assert.Equal([name["http://".Length..]], _session.Texts($"Import-ModelPin '{List}' | ForEach-Object {{ ($_.Name -split '@')[0] }}"));
        await registry.PushAsync(_next);
        Assert.Equal([OllamaStore.DigestOf(_next.Manifest)], _session.Texts($"Get-ModelManifest {name} | ForEach-Object Digest"));

        Assert.Equal(["Downloaded"], _session.Texts($"Import-ModelPin '{List}' | Save-ModelBlob -StorePath '{_store.Path}' | ForEach-Object Status").Distinct());
        Assert.Equal([OllamaStore.DigestOf(_model.Manifest)], _session.Texts($"Get-ModelManifest -Local -StorePath '{_store.Path}' | ForEach-Object Digest"));
        Assert.Equal(["AlreadyPresent"], _session.Texts($"'{List}' | Import-ModelPin | Save-ModelBlob -StorePath '{_store.Path}' | ForEach-Object Status").Distinct());

        // What one store has is pinned for others, who fetch it from the mirror or from that store.
        Run($"Get-ModelManifest -Local -StorePath '{_store.Path}' | Export-ModelPin '{List}'");
        Assert.Equal([registry.Address.GetLeftPart(UriPartial.Authority)], _session.Texts($"Import-ModelPin '{List}' | ForEach-Object Origin"));

        using DockerRegistry emptied = await DockerRegistry.StartAsync();
        await emptied.PushAsync(_next);
        string moved = File.ReadAllText(List).Replace(registry.Address.Authority, emptied.Address.Authority, StringComparison.Ordinal);
        await File.WriteAllTextAsync(List, moved);
        EngineResult gone = _session.Run($"Import-ModelPin '{List}' | Save-ModelBlob -StorePath '{_store.Path}'");
        ErrorRecord error = gone.SingleError("ManifestNotFound", ErrorCategory.ObjectNotFound);
        Assert.Contains("has moved", error.Exception.Message, StringComparison.Ordinal);
        Assert.Equal([OllamaStore.DigestOf(_model.Manifest)], _session.Texts($"Get-ModelManifest -Local -StorePath '{_store.Path}' | ForEach-Object Digest"));
    }

    [Fact]
    public void A_folder_is_pinned_as_the_place_that_it_is()
    {
        OllamaStore store = new(_other.Path);
        store.PutBlobs(_model);
        store.PutManifest(_model.Manifest, "registry.ollama.ai", "library", "demo", "1b");
        Run($"Get-ModelManifest -Source '{_other.Path}' | Export-ModelPin '{List}'");
        Assert.Equal([_other.Path], _session.Texts($"Import-ModelPin '{List}' | ForEach-Object Origin"));
        Assert.Equal(["Downloaded"], _session.Texts($"Import-ModelPin '{List}' | Save-ModelBlob -StorePath '{_store.Path}' | ForEach-Object Status").Distinct());

        // Another manifest under the name is not the one that was pinned.
        store.PutManifest(_next.Manifest, "registry.ollama.ai", "library", "demo", "1b");
        EngineResult moved = _session.Run($"Import-ModelPin '{List}' | Save-ModelBlob -StorePath '{_store.Path}'");
        moved.SingleError("ManifestNotFound", ErrorCategory.ObjectNotFound);
    }

    [NeedsFact(DockerRegistry.Program)]
    public async Task A_model_for_Dockers_runner_is_pinned_by_what_its_registry_has()
    {
        LoopbackModel model = ForeignModels.OfDockersRunner("""{"config":{"format":"gguf"}}""");
        using DockerRegistry registry = await DockerRegistry.StartAsync();
        string name = await registry.PushAsync(model);
        Run($"Get-ModelManifest {name} | Export-ModelPin '{List}'");
        Assert.Equal([OllamaStore.DigestOf(model.Manifest)], _session.Texts($"Import-ModelPin '{List}' | ForEach-Object ManifestDigest"));
        Assert.Equal(["Downloaded"], _session.Texts($"Import-ModelPin '{List}' | Save-ModelBlob -StorePath '{_store.Path}' | ForEach-Object Status").Distinct());
        Run($"Get-ModelManifest -Local -StorePath '{_store.Path}' | Export-ModelPin '{List}'");
        Assert.Equal([OllamaStore.DigestOf(model.Manifest)], _session.Texts($"Import-ModelPin '{List}' | ForEach-Object ManifestDigest"));
    }

    [Fact]
    public void A_list_is_not_replaced_by_less_than_what_was_wanted()
    {
        File.WriteAllText(List, "before");
        OllamaStore store = new(_store.Path);
        store.PutBlobs(_model);
        store.PutManifest(_model.Manifest, "registry.ollama.ai", "library", "demo", "1b");
        EngineResult empty = _session.Run($"@() | Export-ModelPin '{List}'");
        Assert.Single(empty.Warnings);
        EngineResult changed = _session.Run($"$m = Get-ModelManifest -Local -StorePath '{_store.Path}'; $row = [ordered]@{{}}; $m.PSObject.Properties | ForEach-Object {{ $row[$_.Name] = $_.Value }}; $row.Digest = 'sha256:{new string('0', 64)}'; $m, [pscustomobject]$row | Export-ModelPin '{List}'");
        changed.SingleError("ManifestInvalid", ErrorCategory.InvalidData);
        Run($"Get-ModelManifest -Local -StorePath '{_store.Path}' | Export-ModelPin '{List}' -WhatIf");
        EngineResult kept = _session.Run($"try {{ Get-ModelManifest -Local -StorePath '{_store.Path}' | Export-ModelPin '{List}' -NoClobber }} catch {{ $_.FullyQualifiedErrorId }}");
        Assert.StartsWith("AmbiguousArgument", $"{Assert.Single(kept.Output)}", StringComparison.Ordinal);
        Assert.Equal("before", File.ReadAllText(List));
        _session.Run($"Import-ModelPin '{List}'").SingleError("ManifestInvalid", ErrorCategory.InvalidData);
    }

    [Fact]
    public async Task WhatIf_says_how_many_models_would_be_written()
    {
        OllamaStore store = new(_store.Path);
        store.PutBlobs(_model);
        store.PutManifest(_model.Manifest, "registry.ollama.ai", "library", "demo", "1b");
        using ChildProcess shell = ChildProcess.StartScript($"$m = Get-ModelManifest -Local -StorePath '{_store.Path}'; $m | Export-ModelPin '{List}' -WhatIf; $m, $m | Export-ModelPin '{List}' -WhatIf");
        Assert.True(await shell.WaitAsync() == 0, shell.Error);
        Assert.Equal(
            [$"What if: Performing the operation \"Write a list of 1 model\" on target \"{List}\".", $"What if: Performing the operation \"Write a list of 2 models\" on target \"{List}\"."],
            shell.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
    }

    public void Dispose()
    {
        _session.Dispose();
        _other.Dispose();
        _store.Dispose();
    }

    private void Run(string script) => Assert.Empty(_session.Texts(script));
}
