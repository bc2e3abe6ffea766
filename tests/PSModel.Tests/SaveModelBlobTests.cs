using System.Management.Automation;
using System.Text;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

public sealed class SaveModelBlobTests : IAsyncLifetime, IDisposable
{
    private const string Save = "param($name, $store) Save-ModelBlob -Name $name -StorePath $store -VerifyInline";

    private readonly EngineSession _engine = new();
    private readonly TemporaryFolder _store = new();
    private readonly LoopbackRegistry _registry = LoopbackRegistry.Start();
    private readonly LoopbackModel _model = LoopbackModel.Generate("library/demo", "latest", 5_000_000);

    [Fact]
    public void Without_the_switch_the_file_is_read_back_as_well()
    {
        EngineResult result = _engine.Run("param($name, $store) Save-ModelBlob $name $store", _registry.Offer(_model), _store.Path);
        result.AssertSaved(_model, _store, "ReadBack");
    }

    [Theory]
    [InlineData("1", "Inline")]
    [InlineData("Yes", "Inline")]
    [InlineData("off", "ReadBack")]
    [InlineData("", "ReadBack")]
    public void The_environment_decides_where_the_switch_is_left_out(string value, string verification)
    {
        EngineResult result = _engine.Run(
            "param($name, $store, $value) $env:OLLAMA_VERIFY_INLINE_HASH = $value; try { Save-ModelBlob $name $store } finally { $env:OLLAMA_VERIFY_INLINE_HASH = $null }",
            _registry.Offer(_model), _store.Path, value);
        result.AssertSaved(_model, _store, verification);
    }

    [Fact]
    public void The_switch_set_to_false_overrides_the_environment()
    {
        EngineResult result = _engine.Run(
            "param($name, $store) $env:OLLAMA_VERIFY_INLINE_HASH = '1'; try { Save-ModelBlob $name $store -VerifyInline:$false } finally { $env:OLLAMA_VERIFY_INLINE_HASH = $null }",
            _registry.Offer(_model), _store.Path);
        result.AssertSaved(_model, _store, "ReadBack");
    }

    [Fact]
    public void What_is_there_is_reported_and_not_fetched_again()
    {
        string name = _registry.Offer(_model);
        _engine.Run(Save, name, _store.Path);
        long sent = _registry.BlobBytesSent;

        EngineResult second = _engine.Run(Save, name, _store.Path);

        Assert.Equal(sent, _registry.BlobBytesSent);
        Assert.Equal(_model.Blobs.Count, second.Output.Count);
        Assert.All(second.Output, blob =>
        {
            Assert.Equal("AlreadyPresent", blob.Properties["Status"].Value);
            Assert.Equal("SizeOnly", blob.Properties["Verification"].Value);
            Assert.Equal(false, blob.Properties["Verified"].Value);
            Assert.Equal(0L, blob.Properties["BytesReceived"].Value);
        });
    }

    [Fact]
    public void Force_fetches_what_is_there_again()
    {
        string name = _registry.Offer(_model);
        _engine.Run(Save, name, _store.Path);
        File.WriteAllBytes(_store.Blob(_model.Blobs[0].Digest), new byte[_model.Blobs[0].Length]);

        EngineResult second = _engine.Run("param($name, $store) Save-ModelBlob $name $store -VerifyInline -Force", name, _store.Path);

        second.AssertSaved(_model, _store, "Inline");
    }

    [Fact]
    public void A_file_of_the_wrong_size_is_no_blob()
    {
        string name = _registry.Offer(_model);
        Directory.CreateDirectory(_store.Blobs);
        File.WriteAllText(_store.Blob(_model.Blobs[0].Digest), "five!");

        _engine.Run(Save, name, _store.Path).AssertSaved(_model, _store, "Inline");
    }

    [Fact]
    public void Digest_fetches_these_blobs_alone_and_writes_no_manifest()
    {
        string name = _registry.Offer(_model);
        EngineResult result = _engine.Run(
            "param($name, $store, $digest) Save-ModelBlob $name $store -VerifyInline -Digest $digest", name, _store.Path, _model.Blobs[1].Digest);

        Assert.Equal([_model.Blobs[1].Digest], result.Values("Digest"));
        Assert.False(Directory.Exists(Path.Combine(_store.Path, "manifests")));
        Assert.Single(Directory.GetFiles(_store.Blobs));
    }

    [Fact]
    public void A_digest_named_twice_is_fetched_once_and_reported_once()
    {
        BlobContent blob = BlobContent.Generate(100_000, 3);
        string layer = $$"""{"mediaType":"application/vnd.ollama.image.model","digest":"{{blob.Digest}}","size":{{blob.Length}}}""";
        LoopbackModel model = LoopbackModel.WithWeights("library/twice", "latest", blob)
            .WithManifest(Encoding.UTF8.GetBytes($$"""{"schemaVersion":2,"config":{{layer}},"layers":[{{layer}},{{layer}}]}"""));

        EngineResult result = _engine.Run(Save, _registry.Offer(model), _store.Path);

        Assert.Single(result.Output);
        Assert.Equal(blob.Length, _registry.BlobBytesSent);
    }

    [Fact]
    public void What_Get_ModelManifest_returned_is_saved_as_it_was_read()
    {
        string name = _registry.Offer(_model);
        EngineResult result = _engine.Run(
            "param($name, $store) Get-ModelManifest $name | Save-ModelBlob -StorePath $store -VerifyInline", name, _store.Path);

        result.AssertSaved(_model, _store, "Inline");
        Assert.Single(_registry.Requests, request => request.Path.Contains("/manifests/", StringComparison.Ordinal));
        Assert.Equal(_model.Manifest, File.ReadAllBytes(ManifestPath(_registry.Address, "demo", "latest")));
    }

    [Fact]
    public void Another_registry_serves_the_name_and_the_name_stays()
    {
        _registry.Offer(_model);
        EngineResult result = _engine.Run(
            "param($address, $store) Save-ModelBlob demo $store -VerifyInline -Registry $address", _registry.Address, _store.Path);

        Assert.Empty(result.Errors);
        Assert.All(result.Values("Name"), value => Assert.Equal("demo:latest", value));
        Assert.True(File.Exists(Path.Combine(_store.Path, "manifests", "registry.ollama.ai", "library", "demo", "latest")));
    }

    [Theory]
    [InlineData("param($name, $store) $name | Save-ModelBlob -StorePath $store -VerifyInline")]
    [InlineData("param($name, $store) [pscustomobject]@{ Name = $name } | Save-ModelBlob -StorePath $store -VerifyInline")]
    [InlineData("param($name, $store) [pscustomobject]@{ Model = $name } | Save-ModelBlob -StorePath $store -VerifyInline")]
    [InlineData("param($name, $store) Save-ModelBlob -Model $name -StorePath $store -VerifyInline")]
    public void Names_come_by_every_way(string script) =>
        _engine.Run(script, _registry.Offer(_model), _store.Path).AssertSaved(_model, _store, "Inline");

    [Fact]
    public void One_failure_does_not_stop_the_next_model()
    {
        string name = _registry.Offer(_model);
        EngineResult result = _engine.Run(
            "param($name, $store) 'bad name', \"$name-none\", $name | Save-ModelBlob -StorePath $store -VerifyInline", name, _store.Path);

        Assert.Equal(["InvalidModelName", "ManifestNotFound"], result.Errors.Select(error => error.FullyQualifiedErrorId.Split(',')[0]));
        Assert.Equal(_model.Blobs.Count, result.Output.Count);
    }

    [Fact]
    public void WhatIf_changes_nothing_and_opens_no_download()
    {
        string name = _registry.Offer(_model);
        EngineResult result = _engine.Run("param($name, $store) Save-ModelBlob $name $store -VerifyInline -WhatIf", name, _store.Path);

        Assert.Empty(result.Errors);
        Assert.Empty(result.Output);
        Assert.Empty(Directory.GetFileSystemEntries(_store.Path));
        Assert.DoesNotContain(_registry.Requests, request => request.IsBlob);
    }

    [Fact]
    public void A_relative_path_means_the_current_location()
    {
        EngineResult result = _engine.Run(
            "param($name, $store) Set-Location -LiteralPath $store; Save-ModelBlob $name ./sub -VerifyInline", _registry.Offer(_model), _store.Path);

        // Without the Management cmdlets there is no Set-Location: the session's own path does the same.
        if (result.Errors.Count > 0)
        {
            result = _engine.Run(
                "param($name, $store) $null = $ExecutionContext.SessionState.Path.SetLocation($store); Save-ModelBlob $name ./sub -VerifyInline",
                _registry.Offer(_model), _store.Path);
        }

        Assert.True(Directory.Exists(Path.Combine(_store.Path, "sub", "blobs")));
    }

    [Fact]
    public void The_unfinished_work_leaves_nothing_behind_but_the_block_maps_of_large_blobs_and_where_the_model_came_from()
    {
        _engine.Run(Save, _registry.Offer(_model), _store.Path);
        Assert.Equal(
            ["lock", "origin", $"{_model.Blobs[0].Digest.Replace(':', '-')}.blocks"],
            Directory.GetFileSystemEntries(_store.Work).Select(path => Path.GetFileName(path).Split("-sha256")[0]).Order(StringComparer.Ordinal));
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    public void Dispose()
    {
        _engine.Dispose();
        _store.Dispose();
    }

    private string ManifestPath(Uri registry, string model, string tag) =>
        Path.Combine(_store.Path, "manifests", registry.Authority, "library", model, tag);
}
