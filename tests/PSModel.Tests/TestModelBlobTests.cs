using System.Management.Automation;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

public sealed class TestModelBlobTests : IAsyncLifetime, IDisposable
{
    private readonly EngineSession _engine = new();
    private readonly TemporaryFolder _store = new();
    private readonly LoopbackRegistry _registry = LoopbackRegistry.Start();
    private readonly LoopbackModel _model = LoopbackModel.Generate("library/demo", "latest", 5_000_000);
    private readonly string _name;
    private readonly string _weights;

    public TestModelBlobTests()
    {
        _name = _registry.Offer(_model);
        _weights = _store.Blob(_model.Blobs[0].Digest);
        Assert.Empty(_engine.Run("param($name, $store) Save-ModelBlob $name $store -VerifyInline", _name, _store.Path).Errors);
    }

    [Fact]
    public void A_right_model_is_valid()
    {
        EngineResult result = _engine.Run("param($name, $store) Test-ModelBlob $name $store", _name, _store.Path);

        Assert.Equal(_model.Blobs.Select(blob => blob.Digest), result.Values("Digest"));
        Assert.All(result.Output, blob =>
        {
            Assert.Equal("Valid", blob.Properties["Status"].Value);
            Assert.Equal("ReadBack", blob.Properties["Verification"].Value);
            Assert.Equal(true, blob.Properties["Verified"].Value);
            Assert.Equal(0L, blob.Properties["BytesReceived"].Value);
        });
        Assert.Equal("application/vnd.ollama.image.model", result.Output[0].Properties["MediaType"].Value);
    }

    [Fact]
    public void A_changed_byte_is_found()
    {
        using (FileStream file = File.OpenWrite(_weights))
        {
            file.Position = 4_000_000;
            file.WriteByte(0);
            file.WriteByte(1);
        }

        PSObject blob = _engine.Run("param($name, $store) Test-ModelBlob $name $store", _name, _store.Path).Output[0];
        Assert.Equal("DigestMismatch", blob.Properties["Status"].Value);
        Assert.Equal(false, blob.Properties["Verified"].Value);
        Assert.NotEqual(blob.Properties["Digest"].Value, blob.Properties["ActualDigest"].Value);
    }

    [Theory]
    [InlineData("Missing")]
    [InlineData("SizeMismatch")]
    [InlineData("Unreadable")]
    public void What_is_wrong_is_a_finding_and_no_error(string status)
    {
        File.Delete(_weights);
        switch (status)
        {
            case "SizeMismatch":
                File.WriteAllText(_weights, "five!");
                break;
            case "Unreadable":
                Directory.CreateDirectory(_weights);
                break;
            default:
                break;
        }

        EngineResult result = _engine.Run("param($name, $store) Test-ModelBlob $name $store", _name, _store.Path);
        Assert.Empty(result.Errors);
        Assert.Equal(status, result.Output[0].Properties["Status"].Value);
        Assert.Equal("None", result.Output[0].Properties["Verification"].Value);
        Assert.Equal(_model.Blobs.Count, result.Output.Count);
    }

    [Fact]
    public void What_Save_ModelBlob_returned_can_be_piped_in()
    {
        EngineResult result = _engine.Run(
            "param($name, $store) Save-ModelBlob $name $store -VerifyInline | Test-ModelBlob", _name, _store.Path);
        Assert.Empty(result.Errors);
        Assert.Equal(_model.Blobs.Select(blob => blob.Digest), result.Values("Digest"));
        Assert.All(result.Values("Status"), status => Assert.Equal("Valid", status));
    }

    [Fact]
    public void What_Get_ModelManifest_returned_can_be_piped_in()
    {
        EngineResult result = _engine.Run(
            "param($store) Get-ModelManifest -Local -StorePath $store | Test-ModelBlob -StorePath $store", _store.Path);
        Assert.Empty(result.Errors);
        Assert.Equal(_model.Blobs.Count, result.Output.Count);
        Assert.All(result.Values("Status"), status => Assert.Equal("Valid", status));
    }

    [Fact]
    public void Rows_with_a_name_can_be_piped_in()
    {
        EngineResult result = _engine.Run(
            "param($name, $store) [pscustomobject]@{ Name = $name; Note = 'x' }, [pscustomobject]@{ Name = 'none' } | Test-ModelBlob -StorePath $store", _name, _store.Path);
        Assert.Equal(_model.Blobs.Select(blob => blob.Digest), result.Values("Digest"));
        Assert.Equal("none", result.SingleError("ManifestNotFound", ErrorCategory.ObjectNotFound).TargetObject);
    }

    [Fact]
    public void Files_are_tested_by_path_and_their_names_tell_the_digest()
    {
        EngineResult result = _engine.Run("param($blobs) Test-ModelBlob -Path \"$blobs/sha256-*\" -ThrottleLimit 4", _store.Blobs);
        Assert.Equal(_model.Blobs.Select(blob => blob.Digest).Order(), result.Values("Digest").Cast<string>().Order());
        Assert.All(result.Values("Status"), status => Assert.Equal("Valid", status));
    }

    [Fact]
    public void A_file_of_another_name_needs_a_digest()
    {
        string copy = Path.Combine(_store.Path, "weights.gguf");
        File.Copy(_weights, copy);

        _engine.Run("param($path) Test-ModelBlob -LiteralPath $path", copy).SingleError("InvalidDigest", ErrorCategory.InvalidArgument);
        EngineResult result = _engine.Run("param($path, $digest) Test-ModelBlob -LiteralPath $path -Digest $digest", copy, _model.Blobs[0].Digest);
        Assert.Equal("Valid", Assert.Single(result.Output).Properties["Status"].Value);
    }

    [Fact]
    public void A_path_that_is_not_there_is_missing()
    {
        EngineResult result = _engine.Run("param($path) Test-ModelBlob -Path $path", $"{_store.Blobs}/sha256-{new string('0', 64)}");
        Assert.Equal("Missing", Assert.Single(result.Output).Properties["Status"].Value);
    }

    [Fact]
    public void Digest_tests_these_blobs_alone()
    {
        EngineResult result = _engine.Run("param($name, $store, $digest) Test-ModelBlob $name $store -Digest $digest", _name, _store.Path, _model.Blobs[2].Digest);
        Assert.Equal([_model.Blobs[2].Digest], result.Values("Digest"));
    }

    [Fact]
    public void Quiet_gives_one_boolean_an_input()
    {
        EngineResult valid = _engine.Run("param($name, $store) $name, \"$name-none\" | Test-ModelBlob -StorePath $store -Quiet", _name, _store.Path);
        Assert.Empty(valid.Errors);
        Assert.Equal([true, false], valid.Output.Select(item => item.BaseObject));

        File.WriteAllText(_weights, "five!");
        Assert.Equal([false], _engine.Run("param($name, $store) Test-ModelBlob $name $store -Quiet", _name, _store.Path).Output.Select(item => item.BaseObject));
        Assert.Equal(
            [true, false],
            _engine.Run("param($good, $bad) Test-ModelBlob -LiteralPath $good, $bad -Quiet", _store.Blob(_model.Blobs[1].Digest), _weights).Output.Select(item => item.BaseObject));
    }

    [Theory]
    [InlineData("Buffered")]
    [InlineData("Unbuffered")]
    [InlineData("memorymapped")]
    public void Every_read_mode_reads_every_byte(string mode)
    {
        const string Script = "param($name, $store, $mode) Test-ModelBlob $name $store -ReadMode $mode";
        Assert.All(_engine.Run(Script, _name, _store.Path, mode).Values("Status"), status => Assert.Equal("Valid", status));

        byte[] bytes = File.ReadAllBytes(_weights);
        bytes[^1] ^= 1;
        File.WriteAllBytes(_weights, bytes);

        Assert.Equal("DigestMismatch", _engine.Run(Script, _name, _store.Path, mode).Output[0].Properties["Status"].Value);
    }

    [NeedsFact("bash")]
    public void A_file_system_that_refuses_to_be_read_past_the_cache_says_so()
    {
        // The file system of processes is one that refuses.
        const string Refusing = "/proc/version";
        const string Script = "param($path, $digest, $mode) Test-ModelBlob -LiteralPath $path -Digest $digest -ReadMode $mode";
        ErrorRecord error = _engine.Run(Script, Refusing, _model.Blobs[0].Digest, "Unbuffered").SingleError("ReadModeNotSupported", ErrorCategory.NotImplemented);
        Assert.Equal(Refusing, error.TargetObject);
        Assert.Contains("past the cache", error.Exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_diagnosis_of_a_model_gives_one_object_a_blob_and_Quiet_one_boolean()
    {
        EngineResult result = _engine.Run("param($name, $store) Test-ModelBlob $name $store -Diagnose", _name, _store.Path);
        Assert.Equal(_model.Blobs.Select(blob => blob.Digest), result.Values("Digest"));
        Assert.All(result.Values("Verdict"), verdict => Assert.Equal("Healthy", verdict));
        Assert.All(result.Output, diagnosis => Assert.Equal(diagnosis.Properties["Path"].Value, diagnosis.Properties["PSPath"].Value));

        File.WriteAllText(_weights, "five!");
        Assert.Equal([false], _engine.Run("param($name, $store) Test-ModelBlob $name $store -Diagnose -Quiet", _name, _store.Path).Output.Select(item => item.BaseObject));
    }

    [Fact]
    public void A_diagnosis_of_a_blob_that_is_not_there_is_an_error_and_the_next_goes_on()
    {
        File.Delete(_weights);
        EngineResult result = _engine.Run("param($name, $store) Test-ModelBlob $name $store -Diagnose", _name, _store.Path);
        Assert.Equal(_weights, result.SingleError("BlobNotFound", ErrorCategory.ObjectNotFound).TargetObject);
        Assert.Equal(_model.Blobs.Count - 1, result.Output.Count);
    }

    [Fact]
    public void A_model_that_the_store_does_not_have_is_an_error()
    {
        ErrorRecord error = _engine.Run("param($store) Test-ModelBlob none $store", _store.Path).SingleError("ManifestNotFound", ErrorCategory.ObjectNotFound);
        Assert.Equal("none", error.TargetObject);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    public void Dispose()
    {
        _engine.Dispose();
        _store.Dispose();
    }
}
