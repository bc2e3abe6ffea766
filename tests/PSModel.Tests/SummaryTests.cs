using System.Management.Automation;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>One object a model.</summary>
public sealed class SummaryTests : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _store = new();
    private readonly EngineSession _session = new();
    private readonly LoopbackRegistry _registry = LoopbackRegistry.Start();
    private readonly LoopbackModel _model = LoopbackModel.Generate("library/demo", "1b", 2_000_000);
    private readonly LoopbackModel _other = LoopbackModel.Generate("library/other", "latest", 3_000_000, seed: 2);

    [Fact]
    public void Each_model_gives_one_with_all_that_became_of_it()
    {
        string[] names = [_registry.Offer(_model), _registry.Offer(_other), $"{_registry.Address}library/none", "no model"];
        string broken = _other.Blobs[0].Digest;
        _registry.Fault = (request, answer) => answer.FlipAt = request.Leaf == broken ? 7 : null;
        EngineResult saved = _session.Run("param($names, $store) $names | Save-ModelBlob -StorePath $store -VerifyInline -Summary", names, _store.Path);

        Assert.Equal(["ModelSaveResult"], saved.Output.Select(item => item.BaseObject.GetType().Name).Distinct());
        Assert.Equal(["Saved", "Failed", "Failed", "Failed"], saved.Values("Status"));
        Assert.Equal([OllamaStore.DigestOf(_model.Manifest), OllamaStore.DigestOf(_other.Manifest), null, null], saved.Values("ManifestDigest"));
        long size = _model.Blobs.Sum(blob => blob.Length);
        Assert.InRange((long)saved.Output[1].Properties["BytesReceived"].Value, _other.Blobs[0].Length, long.MaxValue);
        Assert.Equal([size, size], [saved.Output[0].Properties["Size"].Value, saved.Output[0].Properties["BytesReceived"].Value]);
        Assert.Equal([5, 4, 0, 0], saved.Values("Blobs").Select(blobs => ((Array)blobs!).Length));
        Assert.Equal([0, 1, 1, 1], saved.Values("Errors").Select(errors => ((Array)errors!).Length));
        dynamic error = ((Array)saved.Output[1].Properties["Errors"].Value).GetValue(0)!;
        Assert.Equal("DigestMismatch", (string)error.Id);
        Assert.Equal(broken, (string)error.Target);
        Assert.NotEmpty((string)error.RecommendedAction);

        // What a script sees as an error it sees all the same.
        Assert.Equal(3, saved.Errors.Count);

        EngineResult again = _session.Run("param($names, $store) Save-ModelBlob $names $store -Summary", names.Take(1).ToArray(), _store.Path);
        Assert.Equal(["AlreadyPresent"], again.Values("Status"));
        Assert.Equal([0L], again.Values("BytesReceived"));
    }

    [Fact]
    public async Task It_goes_whole_through_a_job_and_fits_on_the_screen()
    {
        string name = _registry.Offer(_model);
        using ChildProcess shell = ChildProcess.StartScript($$"""
            Import-Module '{{Checkout.StagedModule}}'
            $saved = Save-ModelBlob '{{name}}' '{{_store.Path}}' -Summary
            $copy = [System.Management.Automation.PSSerializer]::Deserialize([System.Management.Automation.PSSerializer]::Serialize($saved, 1))
            "$($copy.Status) $($copy.Blobs.Count) $($copy.Blobs[0].Status)"
            $saved | Out-String -Width 80
            """);
        Assert.True(await shell.WaitAsync() == 0, shell.Error);
        Assert.StartsWith("Saved 5 Downloaded", shell.Output, StringComparison.Ordinal);
        Assert.Contains("Saved", shell.Output.Split('\n', 2)[1], StringComparison.Ordinal);
        Assert.DoesNotContain("ManifestDigest", shell.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-WhatIf", 0)]
    [InlineData("-Digest sha256:0000", 1)]
    public void Nothing_is_said_to_be_saved_that_is_not(string arguments, int results)
    {
        string name = _registry.Offer(_model);
        EngineResult result = _session.Run($"Save-ModelBlob '{name}' '{_store.Path}' -Summary {arguments}");
        Assert.Equal(results, result.Output.Count);
        Assert.DoesNotContain("Saved", result.Values("Status"));
    }

    [Theory]
    [InlineData("Yes", "Saved")]
    [InlineData("No", "Skipped")]
    public void A_manifest_that_is_missing_over_blobs_that_are_there_counts(string answer, string status)
    {
        string name = _registry.Offer(_model);
        AnsweringHost host = new([answer]);
        using EngineSession engine = new(host);
        engine.Run("param($name, $store) Save-ModelBlob $name $store -VerifyInline -Confirm:$false", name, _store.Path);
        Array.ForEach(Directory.GetFiles(Path.Combine(_store.Path, "manifests"), "*", SearchOption.AllDirectories), File.Delete);

        EngineResult result = engine.Run("param($name, $store) Save-ModelBlob $name $store -VerifyInline -Summary -Confirm", name, _store.Path);
        Assert.Empty(result.Errors);
        Assert.Single(host.Questions);
        Assert.Equal([status], result.Values("Status"));
        Assert.Equal([0L], result.Values("BytesReceived"));
        Assert.InRange((TimeSpan)result.Output[0].Properties["Elapsed"].Value, TimeSpan.FromTicks(1), TimeSpan.FromMinutes(1));
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    public void Dispose()
    {
        _session.Dispose();
        _store.Dispose();
    }
}
