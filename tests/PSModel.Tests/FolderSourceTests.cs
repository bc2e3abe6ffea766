using System.Management.Automation;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>Models from a disk or a share: what an administrator types.</summary>
public sealed class FolderSourceTests : IDisposable
{
    private readonly TemporaryFolder _store = new();
    private readonly TemporaryFolder _disk = new();
    private readonly EngineSession _session = new();
    private readonly LoopbackModel _model = LoopbackModel.Generate("library/demo", "1b", 5_000_000);

    public FolderSourceTests()
    {
        OllamaStore store = new(_disk.Path);
        store.PutBlobs(_model);
        store.PutManifest(_model.Manifest, "registry.ollama.ai", "library", "demo", "1b");
        store.PutManifest(_model.Manifest, "registry.ollama.ai", "library", "demo", "2b");
        store.PutManifest(_model.Manifest, "registry.ollama.ai", "me", "other", "latest");
    }

    [Theory]
    [InlineData("'{0}'")]
    [InlineData("./usb")]
    [InlineData("usb")]
    [InlineData("disk:/usb")]
    [InlineData(@"disk:\usb")]
    [InlineData("FileSystem::{0}")]
    public void Every_way_to_write_a_path_is_one(string source)
    {
        string parent = Path.GetDirectoryName(_disk.Path)!;
        string name = Path.GetFileName(_disk.Path);
        source = source.Replace("usb", name, StringComparison.Ordinal).Replace("{0}", _disk.Path, StringComparison.Ordinal);
        EngineResult saved = _session.Run($"""
            $location = $ExecutionContext.SessionState.Path.SetLocation('{parent}')
            $null = $ExecutionContext.SessionState.Drive.New([Management.Automation.PSDriveInfo]::new('disk', $location.Provider, '{parent}', '', $null), 'Global')
            Save-ModelBlob demo:1b '{_store.Path}' -Source {source} -VerifyInline
            """);
        saved.AssertSaved(_model, _store, "Inline");
    }

    [Fact]
    public void What_a_folder_has_is_listed_and_saved_from_there_by_the_pipeline()
    {
        Assert.Equal(["demo:1b", "demo:2b", "me/other:latest"], _session.Texts($"Get-ModelManifest -Source '{_disk.Path}' | ForEach-Object Name"));
        Assert.Equal(["demo:1b", "demo:2b"], _session.Texts($"Get-ModelManifest demo* -Source '{_disk.Path}' | ForEach-Object Name"));
        Assert.Equal(["1b", "2b"], _session.Texts($"Get-ModelManifest demo -ListTag -Source '{_disk.Path}' | ForEach-Object Tag"));
        Assert.Equal([_disk.Path], _session.Texts($"Get-ModelManifest demo:2b -Source '{_disk.Path}' | ForEach-Object Origin"));

        EngineResult saved = _session.Run($"Get-ModelManifest demo* -Source '{_disk.Path}' | Save-ModelBlob -StorePath '{_store.Path}' -VerifyInline | ForEach-Object {{ \"$($_.Name) $($_.Status)\" }}");
        Assert.Empty(saved.Errors);
        Assert.Equal(5, saved.Output.Count(item => $"{item}" == "demo:1b Downloaded"));
        Assert.Equal(5, saved.Output.Count(item => $"{item}" == "demo:2b AlreadyPresent"));

        // The disk is no place to repair from that the store would remember.
        Assert.Equal([""], _session.Texts($"Get-ModelManifest demo:2b -Local -StorePath '{_store.Path}' | ForEach-Object {{ \"$($_.Origin)\" }}"));
        Assert.Empty(Directory.GetFiles(_store.Work, "origin-*"));
    }

    [Fact]
    public void Links_are_told_of_and_are_right()
    {
        EngineResult saved = _session.Run($"Save-ModelBlob demo:1b '{_store.Path}' -Source '{_disk.Path}' -Link | ForEach-Object {{ \"$($_.Status) $($_.Verification) $($_.BytesReceived)\" }}");
        Assert.Empty(saved.Errors);
        Assert.Equal(["Linked ReadBack 0"], saved.Output.Select(item => $"{item}").Distinct());
        Assert.Equal(["Valid"], _session.Texts($"Test-ModelBlob demo:1b '{_store.Path}' | ForEach-Object Status").Distinct());
    }

    [Fact]
    public void A_damaged_blob_ends_in_an_error_whose_command_works()
    {
        string path = _disk.Blob(_model.Blobs[0].Digest);
        byte[] bytes = File.ReadAllBytes(path);
        bytes[1_000_000] ^= 1;
        File.WriteAllBytes(path, bytes);
        EngineResult saved = _session.Run($"Save-ModelBlob demo:1b '{_store.Path}' -Source '{_disk.Path}'");
        ErrorRecord error = saved.SingleError("DigestMismatch", ErrorCategory.InvalidData);
        string command = error.ErrorDetails.RecommendedAction.Split('"')[1];
        Assert.Equal([path], _session.Texts($"{command} | ForEach-Object Path"));
        Assert.Empty(_session.Run($"Get-ModelManifest -Local -StorePath '{_store.Path}'").Output);
    }

    [NeedsFact(DockerRegistry.Program, "skopeo")]
    public async Task A_layout_that_skopeo_wrote_is_read()
    {
        using DockerRegistry registry = await DockerRegistry.StartAsync();
        LoopbackModel model = _model.OfOci();
        await registry.PushAsync(model);
        string layout = Path.Combine(_disk.Path, "layout");
        await ChildProcess.RunAsync("skopeo", "copy", "--insecure-policy", "--preserve-digests", "--src-tls-verify=false", $"docker://{registry.Address.Authority}/library/demo:1b", $"oci:{layout}:1b");

        Assert.Equal(["layout:1b"], _session.Texts($"Get-ModelManifest -Source '{layout}' | ForEach-Object Name"));
        EngineResult saved = _session.Run($"Save-ModelBlob demo:1b '{_store.Path}' -Source '{layout}' -VerifyInline");
        saved.AssertSaved(model, _store, "Inline");
    }

    [NeedsFact(DockerRegistry.Program, "oras")]
    public async Task A_layout_that_oras_wrote_is_read()
    {
        using DockerRegistry registry = await DockerRegistry.StartAsync();
        await registry.PushAsync(_model);
        string layout = Path.Combine(_disk.Path, "layout");
        await ChildProcess.RunAsync(NeedsFactAttribute.Find("oras")!, "copy", "--from-plain-http", $"{registry.Address.Authority}/library/demo:1b", "--to-oci-layout", $"{layout}:1b");

        Assert.Equal(["layout:1b"], _session.Texts($"Get-ModelManifest -Source '{layout}' | ForEach-Object Name"));
        EngineResult saved = _session.Run($"Save-ModelBlob demo:1b '{_store.Path}' -Source '{layout}' -VerifyInline");
        saved.AssertSaved(_model, _store, "Inline");
    }

    /// <summary>What this module writes for skopeo is no second model.</summary>
    [Fact]
    public void A_layout_that_was_published_lists_each_model_once()
    {
        string layout = Path.Combine(_disk.Path, "layout");
        IReadOnlyList<string> names = _session.Texts($"""
            $null = Save-ModelBlob demo:1b '{_store.Path}' -Source '{_disk.Path}'
            $null = Publish-ModelBlob demo:1b -StorePath '{_store.Path}' -Destination '{layout}'
            Get-ModelManifest -Source '{layout}' | ForEach-Object Name
            """);
        Assert.Equal(["demo:1b"], names);
    }

    [Theory]
    [InlineData("Save-ModelBlob demo:1b -Source ./none", "StoreNotFound")]
    [InlineData("Save-ModelBlob demo:1b -Source none", "InvalidModelName")]
    [InlineData("Save-ModelBlob demo:1b -Source 'none:/x'", "StoreNotWritable")]
    [InlineData("Save-ModelBlob demo:1b -Source '{0}' -StorePath '{0}'", "AmbiguousArgument")]
    [InlineData("Save-ModelBlob demo:1b -Source '{0}' -Registry https://x.example", "AmbiguousArgument")]
    [InlineData("Save-ModelBlob demo:1b -Source ghcr.io/me/llama -Link", "AmbiguousArgument")]
    [InlineData("Save-ModelBlob demo:9b -Source '{0}'", "ManifestNotFound")]
    [InlineData("Get-ModelManifest demo:1b -Source '{0}' -Local", "AmbiguousArgument")]
    [InlineData("Get-ModelManifest demo:9b -Source '{0}'", "ManifestNotFound")]
    public void What_does_not_fit_is_told_of(string command, string id)
    {
        command = command.Replace("{0}", _disk.Path, StringComparison.Ordinal);
        string store = command.StartsWith("Get", StringComparison.Ordinal) || command.Contains("-StorePath", StringComparison.Ordinal) ? string.Empty : $"-StorePath '{_store.Path}'";
        EngineResult result = _session.Run($"$null = $ExecutionContext.SessionState.Path.SetLocation('{_store.Path}'); try {{ {command} {store} 2>&1 | ForEach-Object FullyQualifiedErrorId }} catch {{ $_.FullyQualifiedErrorId }}");
        Assert.StartsWith($"{id},", $"{Assert.Single(result.Output)}", StringComparison.Ordinal);
        Assert.False(Directory.Exists(_store.Blobs));
    }

    [Fact]
    public void An_object_whose_folder_is_gone_is_told_of_and_the_next_is_saved()
    {
        EngineResult saved = _session.Run($$"""
            $gone, $there = 1..2 | ForEach-Object {
                $row = [ordered]@{}
                (Get-ModelManifest demo:1b -Source '{{_disk.Path}}').PSObject.Properties | ForEach-Object { $row[$_.Name] = $_.Value }
                [pscustomobject]$row
            }
            $gone.Origin = '{{Path.Combine(_disk.Path, "gone")}}'
            $gone, $there | Save-ModelBlob -StorePath '{{_store.Path}}' -VerifyInline
            """);
        ErrorRecord error = Assert.Single(saved.Errors);
        Assert.StartsWith("StoreNotFound,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Equal(5, saved.Output.Count);
    }

    [Fact]
    public void What_would_be_done_is_told_and_not_done()
    {
        EngineResult told = _session.Run($"Save-ModelBlob demo:1b '{_store.Path}' -Source '{_disk.Path}' -WhatIf");
        Assert.Empty(told.Errors);
        Assert.Empty(Directory.GetFileSystemEntries(_store.Path));
    }

    public void Dispose()
    {
        _session.Dispose();
        _disk.Dispose();
        _store.Dispose();
    }
}
