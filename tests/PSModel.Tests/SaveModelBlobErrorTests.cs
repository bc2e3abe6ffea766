using System.Management.Automation;
using System.Text;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>Every error id is provoked, and after each the store is as it was.</summary>
public sealed class SaveModelBlobErrorTests : IAsyncLifetime, IDisposable
{
    private const string Save = "param($name, $store) Save-ModelBlob $name $store -VerifyInline -RetryIntervalSec 0 -MaximumRetryCount 2";

    private readonly EngineSession _engine = new();
    private readonly TemporaryFolder _store = new();
    private readonly LoopbackRegistry _registry = LoopbackRegistry.Start();
    private readonly LoopbackModel _model = LoopbackModel.WithWeights("library/demo", "latest", BlobContent.Generate(3_000_000, 1));
    private readonly SortedDictionary<string, string> _before;

    public SaveModelBlobErrorTests()
    {
        // A store that is in use: what is in it must stay.
        LoopbackModel other = LoopbackModel.Generate("library/other", "latest", 1000, seed: 9);
        _engine.Run(Save, _registry.Offer(other), _store.Path);
        _before = _store.Snapshot();
    }

    [Theory]
    [InlineData("bad name")]
    [InlineData("x:")]
    [InlineData("../../etc/passwd")]
    [InlineData("gemma*")]
    public void InvalidModelName(string name)
    {
        ErrorRecord error = _engine.Run(Save, name, _store.Path).SingleError("InvalidModelName", ErrorCategory.InvalidArgument);
        Assert.Equal(name, error.TargetObject);
    }

    [Fact]
    public void InvalidDigest()
    {
        EngineResult result = _engine.Run("param($name, $store) Save-ModelBlob $name $store -Digest sha256:short", _registry.Offer(_model), _store.Path);
        Assert.Equal("sha256:short", result.SingleError("InvalidDigest", ErrorCategory.InvalidArgument).TargetObject);
    }

    [Fact]
    public void ManifestNotFound()
    {
        string name = $"{_registry.Address}library/none:1";
        ErrorRecord error = _engine.Run(Save, name, _store.Path).SingleError("ManifestNotFound", ErrorCategory.ObjectNotFound);
        Assert.Equal(name, error.TargetObject);
        Assert.Equal(404, Property(error, "StatusCode"));
    }

    [Fact]
    public void BlobNotFound_when_the_registry_lost_it()
    {
        _registry.Fault = Blob(answer => answer.Become(404, "{}"));
        EngineResult result = Run();
        Assert.Equal(_model.Blobs[0].Digest, result.SingleError("BlobNotFound", ErrorCategory.ObjectNotFound).TargetObject);
    }

    [Fact]
    public void BlobNotFound_when_the_manifest_does_not_name_it()
    {
        string digest = $"sha256:{new string('0', 64)}";
        EngineResult result = _engine.Run("param($name, $store, $digest) Save-ModelBlob $name $store -Digest $digest", _registry.Offer(_model), _store.Path, digest);
        Assert.Equal(digest, result.SingleError("BlobNotFound", ErrorCategory.ObjectNotFound).TargetObject);
    }

    [Theory]
    [InlineData("<html>sign in</html>")]
    [InlineData("""{"schemaVersion":2,"manifests":[]}""")]
    [InlineData("""{"schemaVersion":2,"layers":[{"digest":"sha256:../../x","size":1}]}""")]
    public void ManifestInvalid(string manifest)
    {
        string name = _registry.Offer(_model.WithManifest(Encoding.UTF8.GetBytes(manifest)));
        _engine.Run(Save, name, _store.Path).SingleError("ManifestInvalid", ErrorCategory.InvalidData);
    }

    [Fact]
    public void ManifestInvalid_when_the_text_of_a_piped_one_was_changed()
    {
        string name = _registry.Offer(_model);
        string change = "$m = Get-ModelManifest $name; $m.GetType().GetProperty('Raw').SetValue($m, $m.Raw.Replace('schemaVersion', 'x\":1,\"schemaVersion'))";
        EngineResult result = _engine.Run($"param($name, $store) {change}; $m | Save-ModelBlob -StorePath $store", name, _store.Path);
        ErrorRecord error = result.SingleError("ManifestInvalid", ErrorCategory.InvalidData);
        Assert.NotEqual(Property(error, "Digest"), Property(error, "ActualDigest"));
    }

    [Fact]
    public void DigestMismatch_when_a_bit_is_flipped_on_the_way()
    {
        _registry.Fault = Blob(answer => answer.FlipAt = 1_234_567);
        ErrorRecord error = Run().SingleError("DigestMismatch", ErrorCategory.InvalidData);
        Assert.Equal(_model.Blobs[0].Digest, Property(error, "Digest"));
        Assert.StartsWith("sha256:", (string?)Property(error, "ActualDigest"), StringComparison.Ordinal);
        Assert.NotEqual(_model.Blobs[0].Digest, Property(error, "ActualDigest"));
    }

    [Fact]
    public void DigestMismatch_when_the_registry_has_other_bytes()
    {
        string name = _registry.Offer(_model);
        _registry.OfferBlob(_model.Blobs[0].Digest, BlobContent.Generate(_model.Blobs[0].Length, 2));
        _engine.Run(Save, name, _store.Path).SingleError("DigestMismatch", ErrorCategory.InvalidData);
    }

    [Fact]
    public void SizeMismatch_when_the_registry_offers_fewer_bytes()
    {
        string name = _registry.Offer(_model);
        _registry.OfferBlob(_model.Blobs[0].Digest, BlobContent.Generate(1000, 2));
        ErrorRecord error = _engine.Run(Save, name, _store.Path).SingleError("SizeMismatch", ErrorCategory.InvalidData);
        Assert.Equal(_model.Blobs[0].Length, Property(error, "ExpectedSize"));
        Assert.Equal(1000L, Property(error, "ActualSize"));
    }

    [Fact]
    public void SizeMismatch_when_a_body_of_unknown_length_is_too_long()
    {
        string name = _registry.Offer(_model);
        _registry.OfferBlob(_model.Blobs[0].Digest, BlobContent.Generate(_model.Blobs[0].Length + 1, 2));
        _registry.Fault = Blob(answer => answer.IsLengthTold = false);
        _engine.Run(Save, name, _store.Path).SingleError("SizeMismatch", ErrorCategory.InvalidData);
    }

    [Fact]
    public void SizeMismatch_when_a_body_of_unknown_length_is_always_too_short()
    {
        _registry.Fault = Blob(answer =>
        {
            answer.SendWhole();
            answer.IsLengthTold = false;
            answer.Length = 1_000_000;
        });
        Run().SingleError("SizeMismatch", ErrorCategory.InvalidData);
    }

    [Theory]
    [InlineData(403)]
    [InlineData(500)]
    [InlineData(503)]
    public void UnexpectedStatus(int status)
    {
        _registry.Fault = Blob(answer => answer.Become(status, "<html>a proxy's page</html>", "text/html"));
        ErrorRecord error = Run().SingleError("UnexpectedStatus", ErrorCategory.ConnectionError);
        Assert.Equal(status, Property(error, "StatusCode"));
        Assert.Contains("a proxy's page", error.Exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void UnexpectedStatus_when_a_web_page_comes_with_status_200()
    {
        _registry.Fault = Blob(answer => answer.Become(200, "<html>sign in</html>", "text/html"));
        ErrorRecord error = Run().SingleError("UnexpectedStatus", ErrorCategory.ConnectionError);
        Assert.Contains("web page", error.Exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void UnexpectedStatus_when_the_range_is_not_the_one_asked_for()
    {
        int answers = 0;
        _registry.Fault = Blob(answer =>
        {
            if (Interlocked.Increment(ref answers) == 1)
            {
                answer.CutAfter = 1_000_000;
            }
            else
            {
                answer.Headers["Content-Range"] = $"bytes 0-{answer.Length - 1}/3000000";
                answer.Start = 0;
            }
        });
        Run().SingleError("UnexpectedStatus", ErrorCategory.ConnectionError);
    }

    [Fact]
    public void UnexpectedStatus_when_redirects_go_round_in_circles()
    {
        _registry.Fault = (request, answer) => answer.RedirectTo(request.Path);
        Run().SingleError("UnexpectedStatus", ErrorCategory.ConnectionError);
    }

    [Fact]
    public void RegistryUnreachable_when_nobody_listens()
    {
        string name = $"{FreePort.FindAddress()}library/x";
        _engine.Run(Save, name, _store.Path).SingleError("RegistryUnreachable", ErrorCategory.ConnectionError);
    }

    [Fact]
    public void RegistryUnreachable_when_every_connection_is_cut_at_once()
    {
        _registry.Fault = Blob(answer => answer.CutAfter = 0);
        ErrorRecord error = Run().SingleError("RegistryUnreachable", ErrorCategory.ConnectionError);
        Assert.Equal(_model.Blobs[0].Digest, error.TargetObject);
    }

    [Fact]
    public void TransferStalled_when_nothing_comes()
    {
        _registry.Fault = Blob(answer => answer.StallAfter = 0);
        EngineResult result = _engine.Run(
            "param($name, $store) Save-ModelBlob $name $store -VerifyInline -OperationTimeoutSeconds 1 -MaximumRetryCount 0", _registry.Offer(_model), _store.Path);
        result.SingleError("TransferStalled", ErrorCategory.OperationTimeout);
    }

    [Fact]
    public void AuthenticationFailed()
    {
        _registry.Fault = (_, answer) => answer.Become(401, "{}");
        Run().SingleError("AuthenticationFailed", ErrorCategory.AuthenticationError);
    }

    [Fact]
    public void UnencryptedRefused() =>
        _engine.Run(Save, "http://registry.example/library/x", _store.Path).SingleError("UnencryptedRefused", ErrorCategory.SecurityError);

    [Fact]
    public void UntrustedRedirect()
    {
        _registry.Fault = Blob(answer => answer.RedirectTo("http://storage.example/blob"));
        Run().SingleError("UntrustedRedirect", ErrorCategory.SecurityError);
    }

    [Fact]
    public void InsufficientDiskSpace()
    {
        const long Size = 4_000_000_000_000_000_000;
        string manifest = $$"""{"schemaVersion":2,"layers":[{"mediaType":"application/vnd.ollama.image.model","digest":"{{_model.Blobs[0].Digest}}","size":{{Size}}}]}""";
        string name = _registry.Offer(_model.WithManifest(Encoding.UTF8.GetBytes(manifest)));
        ErrorRecord error = _engine.Run(Save, name, _store.Path).SingleError("InsufficientDiskSpace", ErrorCategory.ResourceUnavailable);
        Assert.Equal(Size, Property(error, "RequiredBytes"));
        Assert.InRange((long)Property(error, "AvailableBytes")!, 0, Size - 1);
        Assert.DoesNotContain(_registry.Requests, request => request.Path.Contains(_model.Blobs[0].Digest, StringComparison.Ordinal));
    }

    [Fact]
    public void StoreNotWritable_when_a_file_is_in_the_way()
    {
        string file = Path.Combine(_store.Path, "file");
        File.WriteAllText(file, string.Empty);
        EngineResult result = _engine.Run(Save, _registry.Offer(_model), Path.Combine(file, "store"));
        Assert.All(result.Errors, error => Assert.StartsWith("StoreNotWritable,", error.FullyQualifiedErrorId, StringComparison.Ordinal));
        Assert.Equal(ErrorCategory.PermissionDenied, result.Errors[0].CategoryInfo.Category);
        File.Delete(file);
    }

    [Fact]
    public void StoreNotWritable_when_the_path_is_no_folder_of_files()
    {
        EngineResult result = _engine.Run(Save, _registry.Offer(_model), "Variable:store");
        result.SingleError("StoreNotWritable", ErrorCategory.PermissionDenied);
    }

    [Fact]
    public void StoreWriteFailed_when_a_folder_stands_in_the_blobs_place()
    {
        string path = _store.Blob(_model.Blobs[0].Digest);
        Directory.CreateDirectory(path);
        ErrorRecord error = Run().SingleError("StoreWriteFailed", ErrorCategory.WriteError);
        Assert.Equal(path, Property(error, "Path"));
        Directory.Delete(path);
    }

    [Fact]
    public void BlobInUse_when_another_program_holds_the_partial_file()
    {
        Directory.CreateDirectory(_store.Work);
        string partial = Path.Combine(_store.Work, $"{_model.Blobs[0].Digest.Replace(':', '-')}.partial");
        using FileStream holder = new(partial, FileMode.Create, FileAccess.ReadWrite, FileShare.None);
        Run().SingleError("BlobInUse", ErrorCategory.ResourceBusy);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        // The small blobs of the model are right and may stay; no manifest, no weights, and nothing else changed.
        SortedDictionary<string, string> after = _store.Snapshot();
        foreach (BlobContent small in _model.Blobs.Skip(1))
        {
            after.Remove(Path.Combine("blobs", small.Digest.Replace(':', '-')));
        }

        await _registry.DisposeAsync();
        Assert.Equal(_before.Where(entry => after.ContainsKey(entry.Key) || !IsShared(entry.Key)), after);
    }

    public void Dispose()
    {
        _engine.Dispose();
        _store.Dispose();
    }

    private static object? Property(ErrorRecord error, string name) => error.Exception.GetType().GetProperty(name)!.GetValue(error.Exception);

    /// <summary>A blob that both models have.</summary>
    private bool IsShared(string name) => _model.Blobs.Skip(1).Any(blob => name.EndsWith(blob.Digest.Replace(':', '-'), StringComparison.Ordinal));

    private EngineResult Run() => _engine.Run(Save, _registry.Offer(_model), _store.Path);

    /// <summary>A fault of the weights alone.</summary>
    private Action<LoopbackRequest, LoopbackAnswer> Blob(Action<LoopbackAnswer> fault) => (request, answer) =>
    {
        if (request.IsBlob && request.Leaf == _model.Blobs[0].Digest)
        {
            fault(answer);
        }
    };
}
