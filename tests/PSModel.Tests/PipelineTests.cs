using System.Management.Automation;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>What every PowerShell user tries with a cmdlet. What needs other modules' cmdlets is in the Pester files.</summary>
public sealed class PipelineTests : IAsyncLifetime, IDisposable
{
    private readonly EngineSession _engine = new();
    private readonly TemporaryFolder _store = new();
    private readonly LoopbackRegistry _registry = LoopbackRegistry.Start();
    private readonly LoopbackModel _model = LoopbackModel.Generate("library/demo", "latest", 5_000_000);
    private readonly string _name;

    public PipelineTests() => _name = _registry.Offer(_model);

    [Fact]
    public void A_model_goes_from_its_manifest_through_all_three_cmdlets()
    {
        EngineResult result = Run("Get-ModelManifest $name | Save-ModelBlob -StorePath $store -VerifyInline | Test-ModelBlob");
        Assert.Empty(result.Errors);
        Assert.Equal(_model.Blobs.Select(blob => blob.Digest).Order(StringComparer.Ordinal), result.Values("Digest").Cast<string>().Order(StringComparer.Ordinal));
        Assert.All(result.Values("Status"), status => Assert.Equal("Valid", status));
    }

    [Theory]
    [InlineData("Get-ModelManifest $name -OutVariable kept", 1)]
    [InlineData("Save-ModelBlob $name $store -VerifyInline -OutVariable kept", 5)]
    [InlineData("$null = Save-ModelBlob $name $store; Test-ModelBlob $name $store -OutVariable kept", 5)]
    [InlineData("Save-ModelBlob $name $store -VerifyInline -OutVariable kept | Test-ModelBlob -OutVariable +kept", 10)]
    public void OutVariable_keeps_what_goes_down_the_pipeline(string script, int count)
    {
        EngineResult result = Run($"{script}; $kept");
        Assert.Empty(result.Errors);
        object[] kept = [.. result.Output.Skip(result.Output.Count - count).Select(item => item.BaseObject)];
        object[] passed = [.. result.Output.SkipLast(count).Select(item => item.BaseObject)];
        Assert.Equal(count, kept.Distinct().Count());
        Assert.Subset(kept.ToHashSet(), passed.ToHashSet());
    }

    [Theory]
    [InlineData(new[] { "Yes" }, 6, 5)]
    [InlineData(new[] { "Yes to All" }, 1, 5)]
    [InlineData(new[] { "No" }, 5, 0)]
    [InlineData(new[] { "No to All" }, 1, 0)]
    [InlineData(new[] { "No", "Yes" }, 5, 4)]
    public void Confirm_asks_for_each_blob_and_the_manifest(string[] answers, int questions, int blobs)
    {
        AnsweringHost host = new(answers);
        using EngineSession engine = new(host);

        EngineResult result = engine.Run("param($name, $store) Save-ModelBlob $name $store -VerifyInline -Confirm", _name, _store.Path);

        Assert.Empty(result.Errors);
        Assert.Equal(blobs, result.Output.Count);
        Assert.Equal(questions, host.Questions.Count);
        Assert.Contains(_model.Blobs[0].Digest, host.Questions[0], StringComparison.Ordinal);
        Assert.Equal(blobs == 5, Directory.Exists(Path.Combine(_store.Path, "manifests")));
        Assert.Equal(blobs > 0, Directory.Exists(_store.Blobs));
        Assert.Equal(
            result.Values("Digest").Cast<string>().Order(StringComparer.Ordinal),
            _registry.Requests.Where(request => request.IsBlob).Select(request => request.Leaf).Distinct().Order(StringComparer.Ordinal));
    }

    /// <summary>However it comes that a question is to be asked.</summary>
    [Theory]
    [InlineData("$ConfirmPreference = 'Low'; Save-ModelBlob $name $store -VerifyInline", 6)]
    [InlineData("$ConfirmPreference = 'Low'; Save-ModelBlob $name $store -VerifyInline -Confirm:$false", 0)]
    [InlineData("$ConfirmPreference = 'Medium'; Save-ModelBlob $name $store -VerifyInline", 0)]
    [InlineData("$ConfirmPreference = 'None'; Save-ModelBlob $name $store -VerifyInline", 0)]
    [InlineData("function save { [CmdletBinding(SupportsShouldProcess)] param($n, $s) Save-ModelBlob $n $s -VerifyInline }; save $name $store -Confirm", 6)]
    [InlineData("$PSDefaultParameterValues = @{ 'Save-ModelBlob:Confirm' = $true }; Save-ModelBlob $name $store -VerifyInline", 6)]
    public void Preferences_ask_as_Confirm_does(string script, int questions)
    {
        AnsweringHost host = new(["Yes"]);
        using EngineSession engine = new(host);
        EngineResult result = engine.Run($"param($name, $store) {script}", _name, _store.Path);
        Assert.Empty(result.Errors);
        Assert.Equal(5, result.Output.Count);
        Assert.Equal(questions, host.Questions.Count);
    }

    [Theory]
    [InlineData("Save-ModelBlob $name $store -VerifyInline -Verbose", 6)]
    [InlineData("Save-ModelBlob $name $store -VerifyInline", 0)]
    public void Verbose_tells_of_each_blob_and_the_manifest_what_is_done_with_it(string script, int told)
    {
        EngineResult result = Run(script);
        Assert.Empty(result.Errors);
        Assert.Equal(told, result.Verbose.Count(line => line.StartsWith("Performing the operation", StringComparison.Ordinal)));
    }

    [Fact]
    public void The_preference_for_what_if_saves_nothing()
    {
        EngineResult result = Run("$WhatIfPreference = $true; Save-ModelBlob $name $store -VerifyInline");
        Assert.Empty(result.Errors);
        Assert.False(Directory.Exists(_store.Blobs));
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    public void Dispose()
    {
        _engine.Dispose();
        _store.Dispose();
    }

    private EngineResult Run(string script) => _engine.Run($"param($name, $store) {script}", _name, _store.Path);
}
