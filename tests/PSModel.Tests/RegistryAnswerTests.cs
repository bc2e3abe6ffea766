using System.Management.Automation;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>A save copes with what registries answer.</summary>
public sealed class RegistryAnswerTests : IAsyncLifetime, IDisposable
{
    private const string Save = "param($name, $store) Save-ModelBlob -Name $name -StorePath $store -VerifyInline";

    private readonly EngineSession _engine = new();
    private readonly TemporaryFolder _store = new();
    private readonly LoopbackRegistry _registry = LoopbackRegistry.Start();
    private readonly LoopbackModel _model = LoopbackModel.Generate("library/demo", "latest", 5_000_000);

    [NeedsFact(DockerRegistry.Program)]
    public async Task A_model_comes_from_a_real_registry_into_a_store_that_Ollama_lists()
    {
        using DockerRegistry registry = await DockerRegistry.StartAsync();
        LoopbackModel model = LoopbackModel.Generate("library/real", "1b", 220_000_000);
        string name = await registry.PushAsync(model);

        _engine.Run(Save, name, _store.Path).AssertSaved(model, _store, "Inline");
        Assert.Equal(model.Manifest, File.ReadAllBytes(ManifestPath(registry.Address, "real", "1b")));
    }

    [NeedsFact(DockerRegistry.Program)]
    public async Task A_registry_that_redirects_to_another_host_works_as_well()
    {
        using DockerRegistry storage = await DockerRegistry.StartAsync();
        LoopbackModel model = LoopbackModel.Generate("library/real", "1b", 200_000_000);
        await storage.PushAsync(model);
        string name = _registry.Offer(model);
        _registry.Fault = (request, answer) =>
        {
            if (request.IsBlob)
            {
                answer.RedirectTo($"http://localhost:{storage.Address.Port}{request.Path}");
            }
        };

        _engine.Run(Save, name, _store.Path).AssertSaved(model, _store, "Inline");
    }

    [Fact]
    public void A_blob_of_no_bytes_needs_no_request()
    {
        LoopbackModel model = LoopbackModel.WithWeights("library/empty", "latest", BlobContent.Of([]));
        _engine.Run(Save, _registry.Offer(model), _store.Path).AssertSaved(model, _store, "Inline");
    }

    [Fact]
    public void A_cut_connection_is_resumed_from_the_byte_reached()
    {
        int cuts = 0;
        _registry.Fault = (request, answer) =>
        {
            if (request.IsBlob && answer.Length > 1_000_000 && Interlocked.Increment(ref cuts) <= 4)
            {
                answer.CutAfter = 900_000 + cuts;
            }
        };
        string name = _registry.Offer(_model);

        EngineResult result = _engine.Run(
            "param($name, $store) Save-ModelBlob $name $store -VerifyInline -ThrottleLimit 1", name, _store.Path);

        result.AssertSaved(_model, _store, "Inline");
        Assert.Equal(4, result.Of(_model.Blobs[0].Digest).Properties["RetryCount"].Value);
        Assert.Equal(_model.Blobs[0].Length, result.Of(_model.Blobs[0].Digest).Properties["BytesReceived"].Value);
    }

    [Fact]
    public void A_200_to_a_range_request_is_not_written_into_the_middle()
    {
        int answers = 0;
        _registry.Fault = (request, answer) =>
        {
            if (request.IsBlob && answer.Content.Length > 1_000_000)
            {
                answer.SendWhole();
                answer.CutAfter = Interlocked.Increment(ref answers) < 3 ? 2_000_000 * answers : null;
            }
        };

        _engine.Run(Save, _registry.Offer(_model), _store.Path).AssertSaved(_model, _store, "Inline");
    }

    [Fact]
    public void A_body_of_unknown_length_is_taken_to_its_end()
    {
        _registry.Fault = (request, answer) => answer.IsLengthTold = !request.IsBlob;
        _engine.Run(Save, _registry.Offer(_model), _store.Path).AssertSaved(_model, _store, "Inline");
    }

    [Fact]
    public void No_request_lets_a_proxy_compress()
    {
        _engine.Run(Save, _registry.Offer(_model), _store.Path);
        Assert.All(_registry.Requests, request => Assert.Equal("identity", request.Headers["accept-encoding"]));
    }

    [Fact]
    public void Progress_objects_never_run_backwards()
    {
        LoopbackModel model = LoopbackModel.Generate("library/slow", "latest", 30_000_000);
        EngineResult result = _engine.Run(
            "param($name, $store) Save-ModelBlob $name $store -VerifyInline -IncludeProgress -BandwidthLimit 20MB", _registry.Offer(model), _store.Path);

        List<PSObject> progress = [.. result.Output.Where(item => item.TypeNames[0] == "PSModel.ModelBlobProgress" && (string)item.Properties["Digest"].Value == model.Blobs[0].Digest)];
        Assert.True(progress.Count >= 3);
        List<long> bytes = [.. progress.Select(item => (long)item.Properties["BytesTransferred"].Value)];
        Assert.Equal(bytes.Order(), bytes);
        Assert.Equal(model.Blobs[0].Length, bytes[^1]);
        Assert.Contains(result.Progress, record => record.PercentComplete is > 0 and < 100);
        Assert.Contains(result.Progress, record => record.RecordType == ProgressRecordType.Completed);
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
