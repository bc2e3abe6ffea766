using System.Management.Automation;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>What comes down a pipeline is taken for what it is: blobs by their paths, manifests by their text, rows by their
/// columns, also after a file or a job.</summary>
public sealed class PipedObjectTests : IAsyncLifetime, IDisposable
{
    private const string Defaults = "$PSDefaultParameterValues = @{ '*-Model*:StorePath' = $store }; ";
    private const string Reread = "ForEach-Object { [System.Management.Automation.PSSerializer]::Deserialize([System.Management.Automation.PSSerializer]::Serialize($_)) }";

    private readonly EngineSession _engine = new();
    private readonly TemporaryFolder _store = new();
    private readonly LoopbackRegistry _registry = LoopbackRegistry.Start();
    private readonly LoopbackModel _model = LoopbackModel.Generate("library/demo", "latest", 3_000_000);
    private readonly string _name;

    public PipedObjectTests() => _name = _registry.Offer(_model);

    private IEnumerable<string> Digests => _model.Blobs.Select(blob => blob.Digest);

    [Theory]
    [InlineData("Save-ModelBlob $name $store -VerifyInline | Test-ModelBlob -StorePath $store")]
    [InlineData($"{Defaults} Save-ModelBlob $name -VerifyInline | Test-ModelBlob")]
    [InlineData($"{Defaults} $null = Save-ModelBlob $name -VerifyInline; Test-ModelBlob -Path \"$store/blobs/*\"")]
    [InlineData("Save-ModelBlob $name $store -VerifyInline -IncludeProgress | Test-ModelBlob")]
    [InlineData("Save-ModelBlob $name $store -VerifyInline -IncludeProgress | Test-ModelBlob -StorePath $store")]
    [InlineData($"Save-ModelBlob $name $store -VerifyInline -IncludeProgress | {Reread} | Test-ModelBlob -StorePath $store")]
    [InlineData($"{Defaults} $null = Save-ModelBlob $name -VerifyInline; [System.IO.DirectoryInfo]::new(\"$store/blobs\").GetFiles() | Test-ModelBlob")]
    [InlineData($"{Defaults} $null = Save-ModelBlob $name -VerifyInline; Get-ModelManifest -Local | {Reread} | Test-ModelBlob")]
    public void Blobs_are_tested_where_they_are(string script)
    {
        EngineResult result = Run(script);
        Assert.Empty(result.Errors);
        Assert.Equal(Digests.Order(StringComparer.Ordinal), result.Values("Digest").Cast<string>().Order(StringComparer.Ordinal));
        Assert.All(result.Values("Status"), status => Assert.Equal("Valid", status));
    }

    [Theory]
    [InlineData($"$m = Get-ModelManifest $name | {Reread}")]
    [InlineData("$m = [pscustomobject]@{}; foreach ($p in (Get-ModelManifest $name).PSObject.Properties) { $m.PSObject.Properties.Add([psnoteproperty]::new($p.Name, \"$($p.Value)\")) }")]
    public void A_manifest_that_came_back_is_saved_as_it_was_read(string read)
    {
        EngineResult manifest = Run($"{read}; $m");
        Assert.Empty(manifest.Errors);

        // The tag moves meanwhile.
        _registry.Offer(LoopbackModel.Generate("library/demo", "latest", 1000, seed: 7));
        EngineResult result = _engine.Run("param($m, $store) $m | Save-ModelBlob -StorePath $store -VerifyInline", Assert.Single(manifest.Output), _store.Path);
        Assert.Empty(result.Errors);
        Assert.Equal(Digests.Order(StringComparer.Ordinal), result.Values("Digest").Cast<string>().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_manifest_that_came_back_changed_is_refused()
    {
        EngineResult result = Run($"$m = Get-ModelManifest $name | {Reread}; $m.Raw = $m.Raw + ' '; $m | Save-ModelBlob -StorePath $store");
        result.SingleError("ManifestInvalid", ErrorCategory.InvalidData);
        Assert.Empty(result.Output);
    }

    [Fact]
    public void A_column_Model_is_taken_by_all_three()
    {
        EngineResult result = Run("""
            $row = [pscustomobject]@{ Model = $name; Note = 'x' }
            $null = $row | Save-ModelBlob -StorePath $store -VerifyInline
            $row | Get-ModelManifest
            $row | Test-ModelBlob -StorePath $store
            """);
        Assert.Empty(result.Errors);
        Assert.Equal(1 + _model.Blobs.Count, result.Output.Count);
    }

    [Theory]
    [InlineData("[pscustomobject]@{ Name = $name; Digest = $digest } | Save-ModelBlob -StorePath $store -VerifyInline")]
    [InlineData("Save-ModelBlob $name $store -Digest $digest.Substring(7, 12) -VerifyInline")]
    [InlineData("Save-ModelBlob $name $store -Digest $digest.Substring(0, 19) -VerifyInline")]
    [InlineData("$null = Save-ModelBlob $name $store -VerifyInline; Test-ModelBlob $name $store -Digest $digest.Substring(7, 12)")]
    [InlineData("Get-ModelManifest $name | Save-ModelBlob -StorePath $store -Digest $digest.Substring(7, 12) -VerifyInline")]
    public void One_blob_is_meant_where_its_digest_is_given(string script)
    {
        EngineResult result = _engine.Run($"param($name, $store, $digest) {script}", _name, _store.Path, _model.Blobs[2].Digest);
        Assert.Empty(result.Errors);
        Assert.Equal(_model.Blobs[2].Digest, Assert.Single(result.Output).Properties["Digest"].Value);
    }

    [Fact]
    public void What_a_test_found_damaged_is_repaired_by_piping_it_on()
    {
        Run("Save-ModelBlob $name $store -VerifyInline");
        File.WriteAllText(_store.Blob(_model.Blobs[0].Digest), "five!");
        EngineResult result = Run("""
            Test-ModelBlob $name $store | ForEach-Object { if ($_.Status -ne 'Valid') { [pscustomobject]@{ Name = $name; Digest = $_.Digest } } } |
                Save-ModelBlob -StorePath $store -Repair
            """);
        Assert.Empty(result.Errors);
        Assert.Equal("Repaired", Assert.Single(result.Output).Properties["Status"].Value);
    }

    [Theory]
    [InlineData("0000", "BlobNotFound", ErrorCategory.ObjectNotFound)]
    [InlineData("abc", "InvalidDigest", ErrorCategory.InvalidArgument)]
    [InlineData("sha256:DEADBEEF", "InvalidDigest", ErrorCategory.InvalidArgument)]
    public void A_digest_that_means_no_blob_is_an_error_that_names_it(string digest, string id, ErrorCategory category)
    {
        foreach (string command in new[] { "Save-ModelBlob $name $store", "$null = Save-ModelBlob $name $store -VerifyInline; Test-ModelBlob $name $store" })
        {
            EngineResult result = _engine.Run($"param($name, $store, $digest) {command} -Digest $digest", _name, _store.Path, digest);
            ErrorRecord error = result.SingleError(id, category);
            Assert.Contains(digest, error.Exception.Message, StringComparison.Ordinal);
            Assert.Empty(result.Output);
        }
    }

    [Fact]
    public void An_object_that_names_no_model_is_refused()
    {
        EngineResult result = Run("[version]'1.2' | Test-ModelBlob -StorePath $store");
        Assert.StartsWith("InputObjectNotBound,", Assert.Single(result.Errors).FullyQualifiedErrorId, StringComparison.Ordinal);
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
