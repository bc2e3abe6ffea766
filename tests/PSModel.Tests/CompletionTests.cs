using System.Management.Automation;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

public sealed class CompletionTests : IAsyncLifetime, IDisposable
{
    /// <summary>The hosted engine lacks the cmdlet by which it completes paths itself.</summary>
    private const string ResolvePath = """
        New-Module -Name Microsoft.PowerShell.Management -ScriptBlock {
            function Resolve-Path {
                param($Path)
                if ($ExecutionContext.SessionState.InvokeProvider.Item.Exists($Path)) {
                    $ExecutionContext.SessionState.Path.GetResolvedPSPathFromPSPath($Path)
                }
            }
        } | Import-Module
        """;

    private const string Completer = "function Complete { [System.Management.Automation.CommandCompletion]::CompleteInput($args[0], $args[0].Length, $null).CompletionMatches }";

    private static readonly string[] Commands = ["Save-ModelBlob", "Test-ModelBlob", "Get-ModelManifest", "Publish-ModelBlob"];

    private readonly EngineSession _engine = new();
    private readonly TemporaryFolder _folder = new();
    private readonly LoopbackRegistry _registry = LoopbackRegistry.Start();
    private readonly LoopbackModel _model = LoopbackModel.Generate("library/demo", "7b", 5000);
    private readonly string _store;

    public CompletionTests()
    {
        _store = Path.Combine(_folder.Path, "my store");
        Put(_model, "registry.ollama.ai", "library", "demo", "7b");
        Put(_model, "registry.ollama.ai", "library", "demo", "13b");
        Put(_model, "registry.ollama.ai", "library", "other", "latest");
        Put(LoopbackModel.Generate("me/mine", "q4", 7000, seed: 2), "registry.ollama.ai", "me", "Mine", "q4");
        Put(_model, _registry.Address.Authority, "library", "demo", "7b");
    }

    public static TheoryData<string> EveryCommand => [.. Commands];

    [Theory]
    [MemberData(nameof(EveryCommand))]
    public void A_name_is_completed_from_the_store_in_its_shortest_form(string command)
    {
        Assert.Equal(["demo:13b", "demo:7b"], Values($"{command} -StorePath '{_store}' -Name dem"));
        Assert.Equal(["demo:7b"], Values($"{command} -StorePath '{_store}' demo:7"));
        Assert.Equal(["me/Mine:q4"], Values($"{command} -StorePath '{_store}' -Model me/"));
        Assert.Equal(5, Values($"{command} -StorePath '{_store}' -Name ").Length);
        Assert.Empty(Values($"{command} -StorePath '{_store}' -Name nothing"));
    }

    [Fact]
    public void Case_does_not_matter_and_wildcards_mean_what_they_mean()
    {
        Assert.Equal(["me/Mine:q4"], Values($"Save-ModelBlob -StorePath '{_store}' -Name ME/mi"));
        Assert.Equal(["demo:13b", "demo:7b"], Values($"Save-ModelBlob -StorePath '{_store}' -Name d?mo:*b"));
        Assert.Equal(["demo:7b"], Values($"Save-ModelBlob -StorePath '{_store}' -Name demo:[0-9]b"));
        Assert.Empty(Values($"Save-ModelBlob -StorePath '{_store}' -Name '[demo"));
    }

    [Fact]
    public void The_quotes_that_were_begun_are_ended()
    {
        Assert.Equal(["'other:latest'"], Values($"Save-ModelBlob -StorePath '{_store}' -Name 'oth"));
        Assert.Equal(["\"other:latest\""], Values($"Save-ModelBlob -StorePath '{_store}' -Name \"oth"));
        Assert.Equal(["'other:latest'"], Values($"Save-ModelBlob -StorePath '{_store}' -Name \u2018oth"));
    }

    [Fact]
    public void One_name_of_several_is_completed() =>
        Assert.Equal(["other:latest"], Values($"Save-ModelBlob -StorePath '{_store}' -Name demo:7b, ot"));

    [Fact]
    public void A_scheme_that_was_typed_stays()
    {
        string[] names = Values($"Save-ModelBlob -StorePath '{_store}' -Name http://{_registry.Address.Authority}/lib");
        Assert.Equal([$"http://{_registry.Address.Authority}/library/demo:7b"], names);
    }

    [Fact]
    public void No_registry_is_asked()
    {
        string host = _registry.Address.Authority;
        _registry.Offer(LoopbackModel.Generate("library/demo", "only-there", 100));
        foreach (string command in Commands)
        {
            Assert.Equal([$"{host}/library/demo:7b"], Values($"{command} -StorePath '{_store}' -Name {host}/"));
            Assert.Equal([$"http://{host}/library/demo:7b"], Values($"{command} -StorePath '{_store}' -Name http://{host}/library/demo:"));
        }

        Assert.Equal(5, Values($"Save-ModelBlob http://{host}/library/demo:7b '{_store}' -Digest ").Length);
        Assert.Empty(Values($"Save-ModelBlob http://{host}/library/demo:only-there '{_store}' -Digest "));
        Assert.Empty(Values($"Save-ModelBlob -Registry {_registry.Address} -StorePath '{_store}' -Name demo:o"));
        Assert.Empty(_registry.Requests);
    }

    [Theory]
    [InlineData("Save-ModelBlob")]
    [InlineData("Test-ModelBlob")]
    public void A_digest_is_completed_with_the_blobs_of_the_named_model(string command)
    {
        string[] digests = [.. _model.Blobs.Select(blob => blob.Digest)];
        Assert.Equal(digests, Values($"{command} demo:7b '{_store}' -Digest "));
        Assert.Equal(digests, Values($"{command} -StorePath '{_store}' -Model demo:7b -Digest sha256:"));
        Assert.Equal([digests[1]], Values($"{command} demo:7b '{_store}' -Digest {digests[1][..15]}"));
        Assert.Equal([digests[1]], Values($"{command} demo:7b '{_store}' -Digest {digests[1].Substring("sha256:".Length, 8).ToUpperInvariant()}"));
        Assert.Equal([digests[1]], Values($"{command} demo:7b '{_store}' -Digest {digests[0]}, {digests[1][..15]}"));
        Assert.Equal([$"'{digests[1]}'"], Values($"{command} demo:7b '{_store}' -Digest '{digests[1][..15]}"));
        Assert.Empty(Values($"{command} demo:7b '{_store}' -Digest sha256:none"));
        Assert.Empty(Values($"{command} -StorePath '{_store}' -Digest "));
    }

    [Fact]
    public void A_digest_says_what_it_is()
    {
        CompletionResult weights = Complete($"Save-ModelBlob demo:7b, demo:13b '{_store}' -Digest ")[0];
        Assert.Equal($"{_model.Blobs[0].Digest.Substring("sha256:".Length, 12)} Model 4.88 KB", weights.ListItemText);
        Assert.Equal("Model 4.88 KB of demo:7b, demo:13b", weights.ToolTip);
        Assert.Equal(CompletionResultType.ParameterValue, weights.ResultType);
    }

    [Fact]
    public void The_blobs_of_several_models_are_offered_once_each_and_what_is_no_model_is_passed_over()
    {
        string[] digests = Values($"Test-ModelBlob demo:7b, me/mine:q4, me/Mine:q4, none, 'no name', demo:13b '{_store}' -Digest ");
        Assert.Equal(6, digests.Length);
        Assert.Equal(_model.Blobs.Select(blob => blob.Digest), digests[..5]);
    }

    [Theory]
    [InlineData("-StorePath 'my store'")]
    [InlineData("-StorePath './my store/'")]
    [InlineData("-StorePath $folder/my` store")]
    [InlineData("-StorePath \"$folder/my store\"")]
    [InlineData("-StorePath:\"$folder/my store\"")]
    [InlineData("-StorePath $store")]
    [InlineData("-StorePath models:")]
    [InlineData("-Digest x, \"$store\", x -StorePath \"$folder/my store\"")]
    public void The_store_is_the_one_that_PowerShell_makes_of_the_path(string path)
    {
        GoToFolder();
        Assert.Equal(["demo:13b", "demo:7b"], Values($"Save-ModelBlob {path} -Name dem"));
    }

    [Fact]
    public void The_store_is_known_by_its_position_as_well()
    {
        GoToFolder();
        Assert.Equal(5, Values("Save-ModelBlob demo:7b 'my store' -Digest ").Length);
        Assert.Equal(5, Values("Save-ModelBlob demo:7b $folder/my` store -Digest ").Length);
        Assert.Equal(["other:latest"], Values("Save-ModelBlob demo:7b, ot 'my store'", at: "Save-ModelBlob demo:7b, ot".Length));
    }

    /// <summary>Rather no names than those of the default store.</summary>
    [Fact]
    public async Task A_store_that_is_given_and_cannot_be_known_completes_nothing()
    {
        string[] paths = ["(New-Item here)", "\"$(New-Item here)\"", "\"$($none)\"", "$none", "Env:", "nodrive:/x", "missing"];
        string lines = string.Join(", ", paths.Select(path => $"'Save-ModelBlob -StorePath {path} -Name ', 'Test-ModelBlob demo:7b {path} -Digest '"));
        string script = $"{Completer}; foreach ($line in 'Save-ModelBlob ', {lines}) {{ (Complete $line).Count }}";
        using ChildProcess process = ChildProcess.StartScript(script, ("OLLAMA_MODELS", _store));
        Assert.Equal(0, await process.WaitAsync());
        Assert.Equal(["5", .. Enumerable.Repeat("0", 2 * paths.Length)], Lines(process));
    }

    [Fact]
    public async Task Without_a_path_the_store_is_the_one_that_Ollama_uses()
    {
        string home = Path.Combine(_folder.Path, "home");
        PutInto(Path.Combine(home, ".ollama", "models"), LoopbackModel.Generate("library/athome", "latest", 100), "registry.ollama.ai", "library", "athome", "latest");
        string script = $"{Completer}; (Complete 'Test-ModelBlob ').CompletionText; (Complete 'Save-ModelBlob demo:7b -Digest ').Count; @(Get-ModelManifest -Local -WarningAction Ignore).Count";
        using ChildProcess variable = ChildProcess.StartScript(script, ("OLLAMA_MODELS", _store), ("HOME", home), ("USERPROFILE", home));
        using ChildProcess none = ChildProcess.StartScript(script, ("OLLAMA_MODELS", string.Empty), ("HOME", home), ("USERPROFILE", home));

        Assert.True(await variable.WaitAsync() == 0, variable.Error);
        Assert.True(await none.WaitAsync() == 0, none.Error);
        Assert.Equal([$"{_registry.Address.Authority}/library/demo:7b", "demo:13b", "demo:7b", "me/Mine:q4", "other:latest", "5", "5"], Lines(variable));
        Assert.Equal(["athome:latest", "0", "1"], Lines(none));
    }

    [Fact]
    public void What_cannot_be_read_completes_nothing_and_is_no_error()
    {
        string file = Path.Combine(_folder.Path, "file");
        File.WriteAllText(file, "no store");
        string missing = Path.Combine(_folder.Path, "missing");
        string odd = Path.Combine(_folder.Path, "odd");
        Directory.CreateDirectory(odd);
        File.WriteAllText(Path.Combine(odd, "manifests"), "no folder");
        SortedDictionary<string, string> before = _folder.Snapshot();

        foreach (string store in new[] { file, missing, odd, $"{file}/below", "Env:", "Variable:/x", "nodrive:/x", "none::/x", "'a\0b'", "' '" })
        {
            foreach (string line in new[] { $"Save-ModelBlob -StorePath {store} -Name ", $"Test-ModelBlob demo:7b -StorePath {store} -Digest ", $"Get-ModelManifest {store} {store} -Name d" })
            {
                Assert.Empty(Values(line));
            }
        }

        Assert.Equal(before, _folder.Snapshot());
    }

    [Fact]
    public void A_broken_manifest_hides_no_name_and_has_no_blobs()
    {
        File.WriteAllText(Path.Combine(_store, "manifests", "registry.ollama.ai", "library", "demo", "13b"), "{");
        File.WriteAllText(Path.Combine(_store, "manifests", "registry.ollama.ai", "library", "demo", ".tmp-1"), "x");
        Assert.Equal(["demo:13b", "demo:7b"], Values($"Save-ModelBlob -StorePath '{_store}' -Name dem"));
        Assert.Empty(Values($"Save-ModelBlob demo:13b '{_store}' -Digest "));
        Assert.Equal(5, Values($"Save-ModelBlob demo:13b, demo:7b '{_store}' -Digest ").Length);
    }

    [Theory]
    [MemberData(nameof(EveryCommand))]
    public void A_store_path_is_completed_with_folders_alone(string command)
    {
        Directory.CreateDirectory(Path.Combine(_folder.Path, "models"));
        Directory.CreateDirectory(Path.Combine(_folder.Path, "mo[1]"));
        File.WriteAllText(Path.Combine(_folder.Path, "moment.txt"), "no folder");
        _engine.Run(ResolvePath);
        GoToFolder();

        string separator = Path.DirectorySeparatorChar.ToString();
        Assert.Equal([$".{separator}mo[1]", $".{separator}models"], Values($"{command} -StorePath mo").Order(StringComparer.Ordinal));
        Assert.Equal([$"'.{separator}my store'"], Values($"{command} demo:7b my"));
        Assert.Equal([$"\".{separator}my store\""], Values($"{command} -StorePath \"my"));
        Assert.Equal([$"'{_store}{separator}manifests'"], Values($"{command} -StorePath '{_store}/m"));
        Assert.Empty(Values($"{command} -StorePath none/"));
        Assert.Empty(Values($"{command} -StorePath nodrive:/"));
        Assert.Empty(Values($"{command} -StorePath Env:"));
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    public void Dispose()
    {
        _engine.Dispose();
        _folder.Dispose();
    }

    private static string[] Lines(ChildProcess process) => process.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Makes the folder the current location, with a drive of the store and variables.</summary>
    private void GoToFolder() => _engine.Run(
        """
        param($path)
        $global:folder = $path
        $global:store = "$path/my store"
        $provider = $ExecutionContext.SessionState.Provider.GetOne('FileSystem')
        $null = $ExecutionContext.SessionState.Drive.New([System.Management.Automation.PSDriveInfo]::new('models', $provider, $store, '', $null), 'Global')
        $null = $ExecutionContext.SessionState.Path.SetLocation($path)
        """,
        _folder.Path);

    /// <summary>Puts a manifest into a store without its blobs, which no completion looks at.</summary>
    private void Put(LoopbackModel model, params string[] name) => PutInto(_store, model, name);

    private static void PutInto(string store, LoopbackModel model, params string[] name)
    {
        string path = Path.Combine([store, "manifests", .. name]);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, model.Manifest);
    }

    private string[] Values(string line, int? at = null) => [.. Complete(line, at).Select(result => result.CompletionText)];

    /// <summary>What a user is offered at the end of the line; nothing may be said beside it.</summary>
    private CompletionResult[] Complete(string line, int? at = null)
    {
        EngineResult result = _engine.Run(
            "param($line, $at) [System.Management.Automation.CommandCompletion]::CompleteInput($line, $at, $null).CompletionMatches; $Error", line, at ?? line.Length);
        Assert.Null(result.Thrown);
        Assert.Empty(result.Errors);
        return [.. result.Output.Select(item => Assert.IsType<CompletionResult>(item.BaseObject))];
    }
}
