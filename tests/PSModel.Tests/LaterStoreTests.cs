using System.Management.Automation;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>The commands on a store in which a later Ollama worked, and on tags that are lists of manifests.</summary>
public sealed class LaterStoreTests : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly LoopbackRegistry _registry = LoopbackRegistry.Start();
    private readonly LoopbackModel _gguf = LoopbackModel.Generate("library/demo", "latest", 5000);
    private readonly LoopbackModel _tensors = LoopbackModel.Generate("library/demo", "latest", 6000, seed: 2);
    private readonly OllamaStore _store;
    private readonly string _name;

    public LaterStoreTests()
    {
        _store = new OllamaStore(_folder.Path);
        _registry.Offer(_tensors);
        foreach (byte[] manifest in new[] { _gguf.Manifest, _tensors.Manifest })
        {
            _registry.OfferBlob(OllamaStore.DigestOf(manifest), BlobContent.Of(manifest));
        }

        _registry.Offer(_gguf);
        _name = _registry.Offer(_gguf.WithManifest(OllamaStore.ListOf(("mlx", "safetensors", _tensors.Manifest), ("llamacpp", "gguf", _gguf.Manifest))));
    }

    [Fact]
    public void A_model_that_only_the_later_tree_has_is_listed_tested_and_completed()
    {
        _store.PutBlobs(_gguf);
        _store.PutEntry(EntryKind.HardLink, _gguf.Manifest, "ollama.com", "library", "made", "8b");
        using EngineSession engine = new();
        EngineResult listed = engine.Run("Get-ModelManifest -Local -StorePath $args[0]", _folder.Path);
        Assert.Equal(("made:8b", OllamaStore.DigestOf(_gguf.Manifest)), (listed.Values("Name").Single(), listed.Values("Digest").Single()));
        EngineResult tested = engine.Run("Test-ModelBlob made:8b $args[0]", _folder.Path);
        Assert.Empty(tested.Errors);
        Assert.Equal(Enumerable.Repeat("Valid", 5), tested.Values("Status"));
        string line = $"Test-ModelBlob -StorePath '{_folder.Path}' ma";
        EngineResult completed = engine.Run("[System.Management.Automation.CommandCompletion]::CompleteInput($args[0], $args[0].Length, $null).CompletionMatches", line);
        Assert.Equal("made:8b", Assert.Single(completed.Values("CompletionText")));
    }

    [Theory]
    [InlineData("", "llamacpp", "gguf")]
    [InlineData("-Runner LlamaCpp", "llamacpp", "gguf")]
    [InlineData("-Runner mlx", "mlx", "safetensors")]
    public void A_list_gives_the_manifest_that_is_wanted_and_tells_of_all(string how, string runner, string format)
    {
        using EngineSession engine = new();
        EngineResult result = engine.Run($"Get-ModelManifest $args[0] {how}", _name);
        Assert.Empty(result.Errors);
        Assert.Equal((runner, format), (result.Values("Runner").Single(), result.Values("Format").Single()));
        Assert.Equal(
            [$"mlx safetensors {OllamaStore.DigestOf(_tensors.Manifest)}", $"llamacpp gguf {OllamaStore.DigestOf(_gguf.Manifest)}"],
            ((Array)result.Values("Manifests").Single()!).Cast<object>().Select(choice => choice.ToString()));
    }

    [Fact]
    public void A_runner_that_the_list_has_not_is_an_error_that_names_those_it_has()
    {
        using EngineSession engine = new();
        ErrorRecord error = engine.Run("Get-ModelManifest $args[0] -Runner ggml", _name).SingleError("ManifestNotFound", ErrorCategory.ObjectNotFound);
        Assert.Contains("It has: mlx, llamacpp.", error.Exception.Message, StringComparison.Ordinal);
        Assert.StartsWith("ParameterArgumentValidationError", Assert.Single(engine.Run("Get-ModelManifest $args[0] -Runner vllm", _name).Errors).FullyQualifiedErrorId, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Save-ModelBlob $args[0] $args[1] -VerifyInline -Runner mlx")]
    [InlineData("Get-ModelManifest $args[0] -Runner mlx | Save-ModelBlob -StorePath $args[1] -VerifyInline")]
    [InlineData("$m = Get-ModelManifest $args[0] -Runner mlx; [System.Management.Automation.PSSerializer]::Deserialize([System.Management.Automation.PSSerializer]::Serialize($m)) | Save-ModelBlob -StorePath $args[1] -VerifyInline")]
    public void The_chosen_one_is_saved_and_a_repair_stays_with_it(string script)
    {
        using EngineSession engine = new();
        EngineResult saved = engine.Run(script, _name, _folder.Path);
        Assert.Empty(saved.Errors);
        Assert.Equal(_tensors.Blobs.Select(blob => blob.Digest).Order(), saved.Values("Digest").Cast<string>().Order());
        EngineResult local = engine.Run("Get-ModelManifest -Local -StorePath $args[0]", _folder.Path);
        Assert.Equal(("mlx", OllamaStore.DigestOf(_tensors.Manifest)), (local.Values("Runner").Single(), local.Values("Digest").Single()));

        File.WriteAllText(_folder.Blob(_tensors.Blobs[0].Digest), "damaged");
        EngineResult found = engine.Run("Get-ModelManifest -Local -StorePath $args[0] | Test-ModelBlob -StorePath $args[0] -Diagnose | Where-Object Verdict -ne Healthy", _folder.Path);
        string advice = (string)found.Values("Recommendation").Single()!;
        string command = advice.Split('"').Single(part => part.StartsWith("Save-ModelBlob", StringComparison.Ordinal));
        EngineResult repaired = engine.Run(command);
        Assert.Empty(repaired.Errors);
        Assert.Equal("Repaired", repaired.Of(_tensors.Blobs[0].Digest).Properties["Status"].Value);
        Assert.Equal(_tensors.Blobs.Count, repaired.Output.Count);
    }

    [Theory]
    [InlineData("Where-Object Status -ne Valid")]
    [InlineData("Where-Object Status -ne Valid | ForEach-Object { [pscustomobject]@{ Name = $_.Name; Digest = $_.Digest; Origin = $_.Origin; Runner = $_.Runner } }")]
    [InlineData("Where-Object Status -ne Valid | ForEach-Object { [pscustomobject]@{ Name = $_.Name; Origin = $_.Origin; Runner = $_.Runner } }")]
    public void So_does_one_by_the_pipeline(string select)
    {
        using EngineSession engine = new();
        Assert.Empty(engine.Run("Save-ModelBlob $args[0] $args[1] -VerifyInline -Runner mlx", _name, _folder.Path).Errors);
        File.WriteAllText(_folder.Blob(_tensors.Blobs[0].Digest), "damaged");
        EngineResult repaired = engine.Run($"Get-ModelManifest -Local -StorePath $args[0] | Test-ModelBlob -StorePath $args[0] | {select} | Save-ModelBlob -StorePath $args[0] -Repair", _folder.Path);
        Assert.Empty(repaired.Errors);
        Assert.Equal("Repaired", repaired.Of(_tensors.Blobs[0].Digest).Properties["Status"].Value);
        EngineResult local = engine.Run("Get-ModelManifest -Local -StorePath $args[0]", _folder.Path);
        Assert.Equal(OllamaStore.DigestOf(_tensors.Manifest), local.Values("Digest").Single());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void So_does_one_that_was_pinned(bool hasMoved)
    {
        string list = Path.Combine(_folder.Path, "pins.jsonl");
        using EngineSession engine = new();
        Assert.Empty(engine.Run("Get-ModelManifest $args[0] -Runner mlx | Export-ModelPin $args[1]", _name, list).Errors);
        Assert.Equal(["mlx"], engine.Run("Import-ModelPin $args[0]", list).Values("Runner"));
        if (hasMoved)
        {
            _registry.Offer(_gguf);
        }

        Assert.Empty(engine.Run("Import-ModelPin $args[0] | Save-ModelBlob -StorePath $args[1] -VerifyInline", list, _folder.Path).Errors);
        File.WriteAllText(_folder.Blob(_tensors.Blobs[0].Digest), "damaged");
        EngineResult local = engine.Run("Get-ModelManifest -Local -StorePath $args[0]", _folder.Path);
        Assert.Equal(("mlx", OllamaStore.DigestOf(_tensors.Manifest)), (local.Values("Runner").Single(), local.Values("Digest").Single()));
        EngineResult found = engine.Run("Get-ModelManifest -Local -StorePath $args[0] | Test-ModelBlob -StorePath $args[0] -Diagnose | Where-Object Verdict -ne Healthy", _folder.Path);
        Assert.Contains("-Runner mlx -Repair", (string)found.Values("Recommendation").Single()!, StringComparison.Ordinal);
    }

    [Fact]
    public void Tab_completes_the_runner()
    {
        using EngineSession engine = new();
        EngineResult completed = engine.Run("[System.Management.Automation.CommandCompletion]::CompleteInput($args[0], $args[0].Length, $null).CompletionMatches", "Save-ModelBlob demo -Runner ");
        Assert.Equal(["llamacpp", "ggml", "mlx"], completed.Values("CompletionText"));
    }

    [Fact]
    public async Task A_model_of_a_host_with_a_port_has_a_place_in_the_store_of_every_system()
    {
        await using LoopbackRegistry registry = LoopbackRegistry.Start(FreePort.Find());
        string name = registry.Offer(_gguf);
        using EngineSession engine = new();
        EngineResult saved = engine.Run("Save-ModelBlob $args[0] $args[1] -VerifyInline", name, _folder.Path);
        Assert.Empty(saved.Errors);
        Assert.Equal(OperatingSystem.IsWindows(), saved.Warnings.Any(warning => warning.Contains("Ollama 0.33 does not look there", StringComparison.Ordinal)));

        string[] parts = ["library", "demo", "latest"];
        string[] place = OperatingSystem.IsWindows()
            ? ["manifests-v2", registry.Address.Authority.Replace(":", "%3A", StringComparison.Ordinal), .. parts]
            : ["manifests", registry.Address.Authority, .. parts];
        Assert.Equal(_gguf.Manifest, File.ReadAllBytes(Path.Combine([_folder.Path, .. place])));
        EngineResult tested = engine.Run("Get-ModelManifest -Local -StorePath $args[0] | Test-ModelBlob -StorePath $args[0]", _folder.Path);
        Assert.Empty(tested.Errors);
        Assert.Equal(Enumerable.Repeat("Valid", 5), tested.Values("Status"));
        Assert.Equal(Enumerable.Repeat("AlreadyPresent", 5), engine.Run("Save-ModelBlob $args[0] $args[1] -VerifyInline", name, _folder.Path).Values("Status"));
    }

    [NeedsFact("bash")]
    public async Task A_store_that_is_not_the_one_of_the_server_that_runs_is_warned_of()
    {
        string program = Path.Combine(_folder.Path, "ollama");
        File.Copy(NeedsFactAttribute.Find("bash")!, program);
        File.WriteAllText(Path.Combine(_folder.Path, "serve"), "echo serving; read end");
        const string Script = "Get-ModelManifest -Local -WarningVariable w -WarningAction SilentlyContinue -ErrorAction SilentlyContinue; \"warnings: $w\"";
        using ChildProcess server = ChildProcess.Start(
            "env", ["-C", _folder.Path, "OLLAMA_MODELS= \"/srv/models\" ", program, "serve"]);
        await server.WaitForAsync("serving");

        using ChildProcess other = ChildProcess.StartScript(Script, ("OLLAMA_MODELS", _folder.Path));
        await other.WaitAsync();
        Assert.Contains($"The store is '{_folder.Path}', and the Ollama that runs on this machine reads '/srv/models'.", other.Output, StringComparison.Ordinal);
        Assert.Contains("-StorePath '/srv/models'", other.Output, StringComparison.Ordinal);

        using ChildProcess same = ChildProcess.StartScript(Script, ("OLLAMA_MODELS", "'/srv/models'"));
        await same.WaitAsync();
        Assert.Equal("warnings: ", same.Output.TrimEnd('\n'));
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    public void Dispose() => _folder.Dispose();
}
