using System.Management.Automation;
using System.Text;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

public sealed class GetModelManifestTests : IAsyncLifetime, IDisposable
{
    private readonly EngineSession _engine = new();
    private readonly TemporaryFolder _store = new();
    private readonly LoopbackRegistry _registry = LoopbackRegistry.Start();
    private readonly LoopbackModel _model = LoopbackModel.Generate("library/demo", "7b", 5000);
    private readonly string _name;

    public GetModelManifestTests() => _name = _registry.Offer(_model);

    [Fact]
    public void A_remote_manifest_tells_its_parts()
    {
        PSObject manifest = Assert.Single(_engine.Run("param($name) Get-ModelManifest $name", _name).Output);

        Assert.Equal("PSModel.ModelManifest", manifest.TypeNames[0]);
        Assert.Equal($"{_registry.Address.Authority}/library/demo:7b", manifest.Properties["Name"].Value);
        Assert.Equal(_registry.Address.Authority, manifest.Properties["Host"].Value);
        Assert.Equal("library", manifest.Properties["Namespace"].Value);
        Assert.Equal("demo", manifest.Properties["Model"].Value);
        Assert.Equal("7b", manifest.Properties["Tag"].Value);
        Assert.Equal(2, manifest.Properties["SchemaVersion"].Value);
        Assert.Equal($"sha256:{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(_model.Manifest))}", manifest.Properties["Digest"].Value);
        Assert.Equal(_model.Blobs.Sum(blob => blob.Length), manifest.Properties["Size"].Value);
        Assert.StartsWith(_registry.Address.AbsoluteUri, (string)manifest.Properties["Source"].Value, StringComparison.Ordinal);
        EngineResult kinds = _engine.Run("param($name) (Get-ModelManifest $name).Layers.Kind; (Get-ModelManifest $name).Config.Kind", _name);
        Assert.Equal(["Model", "Template", "License", "Params", "Config"], kinds.Output.Select(item => item.BaseObject));
    }

    /// <summary>Each answer waits for the others to be asked for.</summary>
    [Theory]
    [InlineData("param($names) Get-ModelManifest $names -OperationTimeoutSeconds 60 -ConnectionTimeoutSeconds 60")]
    [InlineData("param($names) $names | Get-ModelManifest -OperationTimeoutSeconds 60 -ConnectionTimeoutSeconds 60")]
    public void Many_are_asked_for_side_by_side_and_given_in_their_order_and_one_that_fails_keeps_no_other(string script)
    {
        string[] tags = ["a", "b", "c", "d", "e", "f", "g"];
        string[] names = [.. tags.Select(tag => _registry.Offer(_model.WithManifest(_model.Manifest, tag)))];
        using CountdownEvent asked = new(names.Length);
        _registry.Fault = (request, answer) =>
        {
            if (asked.CurrentCount > 0)
            {
                asked.Signal();
            }

            Assert.True(asked.Wait(TimeSpan.FromSeconds(60)));
            if (request.Path.EndsWith("/c", StringComparison.Ordinal))
            {
                answer.Become(404, "no");
            }
        };
        EngineResult result = _engine.Run(script, (object)names);
        Assert.Equal(["a", "b", "d", "e", "f", "g"], result.Values("Tag"));
        Assert.Equal(names[2], result.SingleError("ManifestNotFound", ErrorCategory.ObjectNotFound).TargetObject);
        Assert.Equal(names.Length, _registry.Requests.Count);
    }

    [Fact]
    public void The_store_is_read_with_Local()
    {
        Save("library/demo:7b", "library/demo:13b", "me/other:latest");
        int requests = _registry.Requests.Count;

        Assert.Equal(["demo:13b", "demo:7b"], LocalNames("demo*"));
        Assert.Equal(["me/other:latest"], LocalNames("me/*"));
        Assert.Equal(["demo:7b"], LocalNames("demo:7b"));
        Assert.Equal(["demo:13b", "demo:7b", "me/other:latest"], LocalNames("*"));
        Assert.Empty(LocalNames("nothing*"));
        Assert.Equal(3, _engine.Run("param($store) Get-ModelManifest -StorePath $store", _store.Path).Output.Count);
        Assert.Equal(requests, _registry.Requests.Count);
    }

    [Fact]
    public void A_foreign_file_among_the_manifests_is_passed_over()
    {
        Save("library/demo:7b");
        File.WriteAllText(Path.Combine(_store.Path, "manifests", "stray"), "x");
        File.WriteAllText(Path.Combine(_store.Path, "manifests", "registry.ollama.ai", "library", "demo", ".tmp-1"), "x");
        Assert.Equal(["demo:7b"], LocalNames("*"));
    }

    [Fact]
    public void A_damaged_manifest_is_an_error_and_the_next_one_comes()
    {
        Save("library/demo:7b", "library/demo:13b");
        File.WriteAllText(Path.Combine(_store.Path, "manifests", "registry.ollama.ai", "library", "demo", "13b"), "{");
        EngineResult result = _engine.Run("param($store) Get-ModelManifest -Local -StorePath $store", _store.Path);
        Assert.Equal("demo:13b", result.SingleError("ManifestInvalid", ErrorCategory.InvalidData).TargetObject);
        Assert.Single(result.Output);
    }

    [Fact]
    public void An_unknown_name_is_an_error()
    {
        _engine.Run("param($store) Get-ModelManifest none -Local -StorePath $store", _store.Path).SingleError("ManifestNotFound", ErrorCategory.ObjectNotFound);
        _engine.Run("param($name) Get-ModelManifest $name", $"{_registry.Address}library/none").SingleError("ManifestNotFound", ErrorCategory.ObjectNotFound);
        _engine.Run("Get-ModelManifest gemma*").SingleError("InvalidModelName", ErrorCategory.InvalidArgument);
    }

    [Theory]
    [InlineData("Get-ModelManifest $null -StorePath $store")]
    [InlineData("$undefined | Get-ModelManifest -StorePath $store")]
    [InlineData("Get-ModelManifest @() -StorePath $store")]
    [InlineData("Get-ModelManifest '' -StorePath $store")]
    [InlineData("@() | Get-ModelManifest -StorePath $store")]
    public void What_is_not_there_names_no_model_and_not_all_of_them(string script)
    {
        Save("library/demo:7b");
        EngineResult result = _engine.Run($"param($store) {script}", _store.Path);
        Assert.Empty(result.Output);
        Assert.True(result.Thrown is ParameterBindingException || result.Errors.All(error => error.Exception is ParameterBindingException));
    }

    [Theory]
    [InlineData("Get-ModelManifest -Local")]
    [InlineData("Get-ModelManifest")]
    [InlineData("Get-ModelManifest 'd*' -Local")]
    public void A_store_that_is_not_there_is_an_error(string command)
    {
        // The folder of a disk that is not mounted is there, and empty.
        foreach (string path in new[] { Path.Combine(_store.Path, "nowhere"), _store.Path })
        {
            EngineResult result = _engine.Run($"param($store) {command} -StorePath $store", path);
            Assert.Equal(path, result.SingleError("StoreNotFound", ErrorCategory.ObjectNotFound).TargetObject);
        }

        Directory.CreateDirectory(_store.Blobs);
        Assert.Empty(_engine.Run($"param($store) {command} -StorePath $store", _store.Path).Errors);
    }

    [Theory]
    [InlineData("DEMO:7B")]
    [InlineData("Library/Demo:7b")]
    [InlineData("Registry.Ollama.AI/library/demo:7b")]
    public void Letters_are_compared_without_case_as_Ollama_does(string name)
    {
        Save("library/demo:7b");
        EngineResult result = _engine.Run("param($name, $store) Get-ModelManifest $name -Local -StorePath $store; Test-ModelBlob $name $store", name, _store.Path);
        Assert.Empty(result.Errors);
        Assert.All(result.Values("Name"), found => Assert.Equal("demo:7b", found));
        Assert.Equal("demo:13b", _engine.Run("param($store) Get-ModelManifest demo:13b -Local -StorePath $store", _store.Path).SingleError("ManifestNotFound", ErrorCategory.ObjectNotFound).TargetObject);
    }

    [Theory]
    [InlineData("\"layers\":null,")]
    [InlineData("")]
    public void A_model_that_runs_elsewhere_has_a_config_alone(string layers)
    {
        string config = _model.Blobs[^1].Digest;
        string name = _registry.Offer(_model.WithManifest(Encoding.UTF8.GetBytes(
            $$$"""{"schemaVersion":2,{{{layers}}}"config":{"mediaType":"application/vnd.docker.container.image.v1+json","digest":"{{{config}}}","size":{{{_model.Blobs[^1].Length}}}}}""")));
        EngineResult result = _engine.Run("param($name, $store) Get-ModelManifest $name; Save-ModelBlob $name $store -VerifyInline; Get-ModelManifest -Local -StorePath $store", name, _store.Path);
        Assert.Empty(result.Errors);
        Assert.Equal(3, result.Output.Count);
        Assert.Empty((Array)result.Output[0].Properties["Layers"].Value);
    }

    [Fact]
    public void A_layers_own_name_is_shown_and_cannot_obey_a_terminal()
    {
        string digest = _model.Blobs[0].Digest;
        string name = _registry.Offer(_model.WithManifest(Encoding.UTF8.GetBytes(
            $$"""{"schemaVersion":2,"layers":[{"mediaType":"application/vnd.ollama.image.tensor","name":"blk.0.attn\u001b[31m","digest":"{{digest}}","size":5000},{"mediaType":"application/vnd.ollama.image.tensor","digest":"{{digest}}","size":5000}]}""")));
        EngineResult result = _engine.Run("param($name) (Get-ModelManifest $name).Layers", name);
        Assert.Equal(["blk.0.attn [31m", null], result.Values("Name"));
    }

    [Fact]
    public void A_manifest_longer_than_the_bound_is_refused()
    {
        string name = _registry.Offer(_model.WithManifest(Encoding.UTF8.GetBytes(new string(' ', (4 * 1024 * 1024) + 1))));
        _engine.Run("param($name) Get-ModelManifest $name", name).SingleError("ManifestInvalid", ErrorCategory.InvalidData);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    public void Dispose()
    {
        _engine.Dispose();
        _store.Dispose();
    }

    /// <summary>Saves models under names without a port, so that they are short in the store.</summary>
    private void Save(params string[] names)
    {
        foreach (string name in names)
        {
            string[] parts = name.Split(':');
            _registry.Offer(LoopbackModel.Generate(parts[0], parts[1], 100));
            Assert.Empty(_engine.Run(
                "param($name, $store, $registry) Save-ModelBlob $name $store -VerifyInline -Registry $registry", name, _store.Path, _registry.Address).Errors);
        }
    }

    private string[] LocalNames(string pattern) =>
        [.. _engine.Run("param($name, $store) Get-ModelManifest $name -Local -StorePath $store", pattern, _store.Path).Values("Name").Cast<string>()];
}
