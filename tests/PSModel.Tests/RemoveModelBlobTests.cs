using System.Management.Automation;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>Remove-ModelBlob in the real engine.</summary>
public sealed class RemoveModelBlobTests : IDisposable
{
    private readonly EngineSession _engine = new();
    private readonly TemporaryFolder _store = new();
    private readonly OllamaStore _ollama;
    private readonly LoopbackModel _one = LoopbackModel.Generate("library/demo", "one", 4000);
    private readonly LoopbackModel _two = LoopbackModel.Generate("library/demo", "two", 5000, seed: 2);

    public RemoveModelBlobTests()
    {
        _ollama = new OllamaStore(_store.Path);
        foreach (LoopbackModel model in new[] { _one, _two })
        {
            _ollama.PutBlobs(model);
            _ollama.PutManifest(model.Manifest, "registry.ollama.ai", "library", "demo", model.Tag);
        }
    }

    [Fact]
    public void A_model_goes_without_a_word_and_the_other_stays_whole()
    {
        EngineResult result = Run("Remove-ModelBlob demo:one $args[0]");
        Assert.Empty(result.Errors);
        Assert.Empty(result.Output);
        Assert.Equal(_two.Blobs.Select(blob => blob.Digest).Order(StringComparer.Ordinal), BlobsLeft);
        Assert.Equal("demo:two", Assert.Single(Run("Get-ModelManifest -Local -StorePath $args[0]").Output).Properties["Name"].Value);
    }

    [Fact]
    public void PassThru_gives_plain_objects_of_the_files()
    {
        EngineResult result = Run("Remove-ModelBlob demo:one $args[0] -PassThru -Confirm:$false");
        Assert.Empty(result.Errors);
        Assert.Equal(["Manifest", "Blob"], result.Values("Kind"));
        PSObject blob = result.Output[1];
        Assert.Equal("PSModel.RemovedModelFile", blob.TypeNames[0]);
        Assert.Equal(
            ("demo:one", _one.Blobs[0].Digest, "application/vnd.ollama.image.model", 4000L, _store.Blob(_one.Blobs[0].Digest)),
            (blob.Properties["Name"].Value, blob.Properties["Digest"].Value, blob.Properties["MediaType"].Value, blob.Properties["Size"].Value, blob.Properties["Path"].Value));
    }

    [Fact]
    public void Wildcards_manifests_rows_and_tags_name_models()
    {
        Assert.Equal(2, Run("Remove-ModelBlob demo:* $args[0] -WhatIf -PassThru; Get-ModelManifest -Local -StorePath $args[0]").Output.Count);
        Assert.Equal(3, Run("Get-ModelManifest -Local 'demo:o*' -StorePath $args[0] | Remove-ModelBlob -StorePath $args[0] -PassThru; Get-ModelManifest -Local -StorePath $args[0]").Output.Count);
        EngineResult rest = Run("[pscustomobject]@{ Name = 'demo:two' } | Remove-ModelBlob -StorePath $args[0] -PassThru");
        Assert.Empty(rest.Errors);
        Assert.Equal(_two.Blobs.Count + 1, rest.Output.Count);
        Assert.Empty(BlobsLeft);
        EngineResult none = Run("Remove-ModelBlob demo:* $args[0] -PassThru");
        Assert.Empty(none.Errors);
        Assert.Empty(none.Output);
    }

    [Fact]
    public void Manifests_that_were_in_a_file_and_names_in_a_list_as_well()
    {
        EngineResult result = Run("[System.Management.Automation.PSSerializer]::Deserialize([System.Management.Automation.PSSerializer]::Serialize((Get-ModelManifest -Local 'demo:one' -StorePath $args[0]))) | Remove-ModelBlob -StorePath $args[0]; 'demo:two' | Remove-ModelBlob -StorePath $args[0]");
        Assert.Empty(result.Errors);
        Assert.Empty(BlobsLeft);
    }

    [Fact]
    public void A_blob_or_a_file_names_no_model_to_remove()
    {
        EngineResult result = Run("Test-ModelBlob demo:one $args[0] | Remove-ModelBlob -StorePath $args[0]; [System.IO.FileInfo[]] [System.IO.Directory]::GetFiles(\"$($args[0])/blobs\") | Remove-ModelBlob -StorePath $args[0]");
        Assert.NotEmpty(result.Errors);
        Assert.All(result.Errors, error => Assert.StartsWith("InputObjectNotBound,", error.FullyQualifiedErrorId, StringComparison.Ordinal));
        Assert.Equal(2, Run("Get-ModelManifest -Local -StorePath $args[0]").Output.Count);
    }

    [Fact]
    public void One_that_is_not_there_is_an_error_and_the_next_goes_on()
    {
        EngineResult result = Run("Remove-ModelBlob none, demo:one $args[0]");
        ErrorRecord error = result.SingleError("ManifestNotFound", ErrorCategory.ObjectNotFound);
        Assert.Equal("none", error.TargetObject);
        Assert.Equal(_two.Blobs.Count, BlobsLeft.Count());
        Run("Remove-ModelBlob ':::' $args[0]").SingleError("InvalidModelName", ErrorCategory.InvalidArgument);
        Run("Remove-ModelBlob demo:two /nowhere").SingleError("StoreNotFound", ErrorCategory.ObjectNotFound);
        Run("Remove-ModelBlob -Partial -StorePath /nowhere").SingleError("StoreNotFound", ErrorCategory.ObjectNotFound);
    }

    [Fact]
    public void Unused_and_Partial_go_together_and_not_with_a_name()
    {
        File.Delete(_ollama.ManifestPath("registry.ollama.ai", "library", "demo", "one"));
        Array.ForEach(Directory.GetFiles(_store.Blobs), path => File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddHours(-2)));
        Directory.CreateDirectory(_store.Work);
        File.WriteAllText(Path.Combine(_store.Work, $"sha256-{new string('a', 64)}.partial"), "work");
        EngineResult result = Run("Remove-ModelBlob -Unused -Partial -StorePath $args[0] -PassThru");
        Assert.Empty(result.Errors);
        Assert.Equal(["Blob", "Partial"], result.Values("Kind"));
        Assert.IsType<ParameterBindingException>(Assert.Single(Run("Remove-ModelBlob demo:two -Unused -StorePath $args[0]").Errors).Exception, exactMatch: false);
        Assert.Equal(_two.Blobs.Count, BlobsLeft.Count());
    }

    [Fact]
    public void A_manifest_that_cannot_be_read_is_named_with_what_to_do()
    {
        string broken = _ollama.ManifestPath("registry.ollama.ai", "library", "demo", "broken");
        File.WriteAllText(broken, "{");
        ErrorRecord error = Run("Remove-ModelBlob demo:one $args[0]").SingleError("ManifestInvalid", ErrorCategory.InvalidData);
        Assert.Contains(broken, error.Exception.Message, StringComparison.Ordinal);
        Assert.Contains("Remove-ModelBlob demo:broken -StorePath", error.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
        Assert.Empty(Run("Remove-ModelBlob demo:broken $args[0]; Remove-ModelBlob demo:one $args[0]").Errors);
    }

    /// <summary>Pasted without the store it would remove what the default store has.</summary>
    [Fact]
    public void The_command_that_removes_what_is_left_of_an_unreadable_model_is_whole()
    {
        File.WriteAllText(_ollama.ManifestPath("registry.ollama.ai", "library", "demo", "one"), "{");
        Array.ForEach(Directory.GetFiles(_store.Blobs), path => File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddHours(-2)));
        string warning = Assert.Single(Run("Remove-ModelBlob demo:one $args[0]").Warnings);
        string command = warning.Split('"')[1];
        Assert.Equal($"Remove-ModelBlob -Unused -StorePath '{_store.Path}'", command);
        Assert.Equal(6, BlobsLeft.Count());
        Assert.Empty(_engine.Run(command).Errors);
        Assert.Equal(_two.Blobs.Select(blob => blob.Digest).Order(StringComparer.Ordinal), BlobsLeft);
    }

    [Fact]
    public void That_all_unused_blobs_are_too_young_is_told()
    {
        File.Delete(_ollama.ManifestPath("registry.ollama.ai", "library", "demo", "one"));
        EngineResult result = Run("Remove-ModelBlob -Unused -StorePath $args[0]");
        Assert.Empty(result.Errors);
        Assert.Matches("^1 blob of 3[.,]91 KB that no manifest names stays: .* -Force removes it as well\\.$", Assert.Single(result.Warnings));
        Assert.Equal(6, BlobsLeft.Count());
        Assert.Empty(Run("Remove-ModelBlob -Unused -Force -StorePath $args[0]").Warnings);
        Assert.Equal(_two.Blobs.Count, BlobsLeft.Count());
    }

    /// <summary>Windows removes no file that is open.</summary>
    [Fact]
    public void A_blob_that_is_held_is_told_of_with_its_model_and_a_command_that_is_whole()
    {
        Array.ForEach(Directory.GetFiles(_store.Blobs), path => File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddHours(-2)));
        using (new FileStream(_store.Blob(_one.Blobs[0].Digest), FileMode.Open, FileAccess.Read, FileShare.Read))
        {
            EngineResult result = Run("Remove-ModelBlob demo:one $args[0]");
            if (!OperatingSystem.IsWindows())
            {
                Assert.Empty(result.Errors);
                return;
            }

            ErrorRecord error = result.SingleError("BlobInUse", ErrorCategory.ResourceBusy);
            Assert.Equal(_one.Blobs[0].Digest, error.TargetObject);
            Assert.Contains("demo:one", error.Exception.Message, StringComparison.Ordinal);
            Assert.Contains($"""
                "Remove-ModelBlob -Unused -StorePath '{_store.Path}'"
                """, error.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
        }

        Assert.Empty(Run("Remove-ModelBlob -Unused -StorePath $args[0]").Errors);
        Assert.Equal(_two.Blobs.Count, BlobsLeft.Count());
    }

    [Fact]
    public async Task WhatIf_shows_each_with_its_bytes_and_a_sum()
    {
        using ChildProcess process = ChildProcess.StartScript($"Remove-ModelBlob demo:* '{_store.Path}' -WhatIf; $WhatIfPreference = $true; Remove-ModelBlob -Unused -Force -StorePath '{_store.Path}'");
        Assert.True(await process.WaitAsync() == 0, process.Error);
        string[] lines = process.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        Assert.Equal(3, lines.Length);
        Assert.Matches("^What if: Performing the operation \"Remove model with 1 blob, [0-9.]+ KB; 4 blobs stay, since other models need them\" on target \"demo:one\"\\.$", lines[0]);
        Assert.Matches("^What if: Performing the operation \"Remove model with 5 blobs, [0-9.]+ KB\" on target \"demo:two\"\\.$", lines[1]);
        Assert.Matches("^What if: In all, 2 manifests, 6 blobs and 0 unfinished files would be removed, [0-9.]+ KB together\\.$", lines[2]);
        Assert.False(Directory.Exists(_store.Work));
        Assert.Equal(6, BlobsLeft.Count());
    }

    [Fact]
    public async Task The_view_shows_what_went()
    {
        using ChildProcess process = ChildProcess.StartScript($"Remove-ModelBlob demo:one '{_store.Path}' -PassThru");
        Assert.True(await process.WaitAsync() == 0, process.Error);
        Assert.Contains($"Blob     3.91 KB {_one.Blobs[0].Digest[7..19]} demo:one", process.Output, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _engine.Dispose();
        _store.Dispose();
    }

    private IEnumerable<string> BlobsLeft => Directory.GetFiles(_store.Blobs).Select(path => Path.GetFileName(path).Replace('-', ':')).Order(StringComparer.Ordinal);

    private EngineResult Run(string script) => _engine.Run(script, _store.Path);
}
