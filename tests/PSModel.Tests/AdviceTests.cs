using System.Management.Automation;
using System.Text.RegularExpressions;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>What errors say, and that it is of use.</summary>
public sealed partial class AdviceTests : IAsyncLifetime, IDisposable
{
    private const string Save = "Save-ModelBlob demo $store -Registry $registry -VerifyInline -MaximumRetryCount 1 -RetryIntervalSec 0 -ThrottleLimit 1";

    private readonly EngineSession _engine = new();
    private readonly TemporaryFolder _store = new();
    private readonly LoopbackRegistry _registry = LoopbackRegistry.Start();
    private readonly LoopbackModel _model = LoopbackModel.WithWeights("library/demo", "latest", BlobContent.Generate(3_000_000, 1));

    public AdviceTests() => _registry.Offer(_model);

    /// <summary>As real PowerShell writes an error on a screen.</summary>
    [Fact]
    public async Task It_stands_on_the_screen_once()
    {
        const string Advice = "Check the spelling of model and tag";
        using ChildProcess process = ChildProcess.StartScript(
            $"try {{ Get-ModelManifest none -Local -StorePath '{_store.Path}' -ErrorAction Stop }} catch {{ $_ | Out-String -Width 1000; \"<$($_.ErrorDetails.RecommendedAction)>\" }}");
        Assert.True(await process.WaitAsync() == 0, process.Error);
        string[] parts = process.Output.Split('<');
        Assert.StartsWith(Advice, parts[1], StringComparison.Ordinal);
        Assert.Single(Regex.Matches(parts[0], Advice));
    }

    [Theory]
    [InlineData("ftp://example.org", "InvalidModelName", ErrorCategory.InvalidArgument)]
    [InlineData("https://me:secret@example.org", "InvalidModelName", ErrorCategory.InvalidArgument)]
    public void A_registry_that_is_none_is_what_has_to_be_corrected(string address, string id, ErrorCategory category)
    {
        ErrorRecord error = _engine.Run("param($address) Get-ModelManifest demo -Registry $address", address).SingleError(id, category);
        Assert.Equal("Correct the address given with -Registry.", error.ErrorDetails.RecommendedAction);
    }

    [Fact]
    public void A_folder_in_a_blobs_place_has_to_be_removed()
    {
        Directory.CreateDirectory(_store.Blob(_model.Blobs[0].Digest));
        ErrorRecord error = Run(Save).SingleError("StoreWriteFailed", ErrorCategory.WriteError);
        Assert.StartsWith("Remove it", error.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_blob_has_to_be_fetched()
    {
        Assert.Empty(Run(Save).Errors);
        File.Delete(_store.Blob(_model.Blobs[0].Digest));
        ErrorRecord error = Run("Test-ModelBlob demo $store -Diagnose").SingleError("BlobNotFound", ErrorCategory.ObjectNotFound);
        Assert.EndsWith("fetches it.", error.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_not_there_is_no_matter_of_a_digest()
    {
        ErrorRecord error = _engine.Run("param($path, $digest) Test-ModelBlob -LiteralPath $path -Digest $digest -Diagnose", _store.Blob(_model.Blobs[0].Digest), _model.Blobs[0].Digest).SingleError("BlobNotFound", ErrorCategory.ObjectNotFound);
        Assert.Equal("Check the path.", error.ErrorDetails.RecommendedAction);
    }

    [Theory]
    [InlineData("flip", "DigestMismatch", ErrorCategory.InvalidData)]
    [InlineData("lost", "BlobNotFound", ErrorCategory.ObjectNotFound)]
    [InlineData("cut", "RegistryUnreachable", ErrorCategory.ConnectionError)]
    [InlineData("less", "SizeMismatch", ErrorCategory.InvalidData)]
    [InlineData("short", "SizeMismatch", ErrorCategory.InvalidData)]
    [InlineData("more", "SizeMismatch", ErrorCategory.InvalidData)]
    [InlineData("room", "InsufficientDiskSpace", ErrorCategory.ResourceUnavailable)]
    public void An_error_of_a_blob_names_its_model_and_counts_bytes_as_people_do(string fault, string id, ErrorCategory category)
    {
        Break(fault);
        ErrorRecord error = Run(Save).SingleError(id, category);
        Assert.Contains("demo:latest", error.Exception.Message, StringComparison.Ordinal);
        Assert.Equal("demo:latest", error.Exception.GetType().GetProperty("Name")!.GetValue(error.Exception));
        AssertReadable(error.Exception.Message);
    }

    [Fact]
    public void What_Verbose_tells_counts_bytes_as_people_do()
    {
        Break("cut");
        Run(Save);
        _registry.Fault = null;
        EngineResult second = Run($"{Save} -Verbose; $null = Test-ModelBlob demo $store -Verbose; $null = Test-ModelBlob demo $store -Diagnose -Verbose");
        Assert.Contains(second.Verbose, line => line.Contains("kept from an earlier call", StringComparison.Ordinal));
        Assert.All(second.Verbose, AssertReadable);
    }

    [Fact]
    public void A_store_that_cannot_be_made_is_one_error_and_not_one_a_blob()
    {
        string file = Path.Combine(_store.Path, "file");
        File.WriteAllText(file, string.Empty);
        EngineResult result = _engine.Run("param($store, $registry) " + Save, Path.Combine(file, "store"), _registry.Address);
        result.SingleError("StoreNotWritable", ErrorCategory.PermissionDenied);
        Assert.Empty(result.Output);
    }

    [Theory]
    [InlineData("Save-ModelBlob demo env:/x")]
    [InlineData("Get-ModelManifest demo -Source env:/x")]
    [InlineData("Test-ModelBlob -LiteralPath env:/x")]
    [InlineData("Publish-ModelBlob demo $store -Destination env:/x")]
    [InlineData("Import-ModelPin env:/x")]
    [InlineData("[pscustomobject]@{ Raw = 'x'; Digest = 'x'; Host = 'x'; Namespace = 'x'; Model = 'x'; Tag = 'x' } | Export-ModelPin env:/x")]
    public void A_path_that_is_none_is_what_has_to_be_corrected(string command)
    {
        ErrorRecord error = ErrorOf(command, "StoreNotWritable");
        Assert.Equal("env:/x", error.TargetObject);
        Assert.Equal("Give a path of the file system.", error.ErrorDetails.RecommendedAction);
    }

    [Theory]
    [InlineData("Publish-ModelBlob demo $store -Digest xyz", "InvalidDigest", "xyz")]
    [InlineData("Publish-ModelBlob demo $store -Destination https://h/x@sha256:0123456789012345678901234567890123456789012345678901234567890123", "InvalidModelName", "https://h/x@sha256:0123456789012345678901234567890123456789012345678901234567890123")]
    [InlineData("Publish-ModelBlob demo $store -Destination 'https://h/a b'", "InvalidModelName", "https://h/a b")]
    [InlineData("Save-ModelBlob demo $store -Source 'https://h/a b'", "InvalidModelName", "https://h/a b")]
    public void What_was_given_is_the_target_and_not_the_name_of_its_parameter(string command, string id, string target)
    {
        Assert.Equal(target, ErrorOf(command, id).TargetObject);
    }

    [Theory]
    [InlineData("Get-ModelManifest demo -Local -StorePath $store/none")]
    [InlineData("Test-ModelBlob demo $store/none")]
    [InlineData("Publish-ModelBlob demo $store/none -Destination $store/layout")]
    public void Where_there_is_no_store_the_spelling_of_the_model_is_not_what_has_to_be_looked_at(string command)
    {
        ErrorRecord error = Run(command).SingleError("ManifestNotFound", ErrorCategory.ObjectNotFound);
        Assert.Contains("there is no such folder", error.Exception.Message, StringComparison.Ordinal);
        Assert.Equal("Check the path of the store, and whether its disk is mounted.", error.ErrorDetails.RecommendedAction);
    }

    [Fact]
    public void A_layout_that_cannot_be_made_is_no_store()
    {
        Assert.Empty(Run(Save).Errors);
        string file = Path.Combine(_store.Path, "file");
        File.WriteAllText(file, string.Empty);
        ErrorRecord error = Run($"Publish-ModelBlob demo $store -Destination '{Path.Combine(file, "layout")}'").SingleError("StoreNotWritable", ErrorCategory.PermissionDenied);
        Assert.StartsWith($"The image layout '{Path.Combine(file, "layout")}' cannot be created", error.Exception.Message, StringComparison.Ordinal);
        Assert.Equal("Check the path and its permissions, or name another folder with -Destination.", error.ErrorDetails.RecommendedAction);
    }

    /// <summary>Linux holds the name.</summary>
    [Fact]
    public void A_layout_with_a_name_that_Windows_cannot_hold_is_an_error_there()
    {
        Assert.Empty(Run(Save).Errors);
        string path = Path.Combine(_store.Path, "a|b");
        string command = $"Publish-ModelBlob demo $store -Destination '{path}'";
        if (OperatingSystem.IsWindows())
        {
            ErrorRecord error = ErrorOf(command, "StoreNotWritable");
            Assert.Equal(path, error.TargetObject);
            Assert.Equal("Give a path that the file system can hold.", error.ErrorDetails.RecommendedAction);
        }
        else
        {
            Assert.Empty(Run(command).Errors);
        }
    }

    [Theory]
    [InlineData("Publish-ModelBlob demo $store -Destination $store/layout")]
    [InlineData("Save-ModelBlob demo $store/copy -Source $store")]
    public void What_is_wrong_with_a_file_of_the_store_is_told_in_the_same_way(string command)
    {
        Assert.Empty(Run(Save).Errors);
        string file = _store.Blob(_model.Blobs[0].Digest);
        byte[] bytes = File.ReadAllBytes(file);
        bytes[2_345_678] ^= 1;
        foreach ((int length, string id) in new[] { (bytes.Length, "DigestMismatch"), (12, "SizeMismatch") })
        {
            File.WriteAllBytes(file, bytes[..length]);
            ErrorRecord error = Run(command).SingleError(id, ErrorCategory.InvalidData);
            Assert.Contains("demo:latest", error.Exception.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("12 B (", error.Exception.Message, StringComparison.Ordinal);
            AssertReadable(error.Exception.Message);
        }
    }

    [Theory]
    [InlineData("changed", "ManifestInvalid", "Pipe in what Get-ModelManifest returned, as it was.")]
    [InlineData("lost", "BlobNotFound", "Copy the file into the source again, or leave out -Source to ask the registry.")]
    [InlineData("index", "ManifestInvalid", "Have the image layout written again, by whatever wrote it.")]
    public void Where_no_registry_was_asked_none_is_to_blame(string fault, string id, string action)
    {
        Assert.Empty(Run(Save).Errors);
        Assert.Empty(Run("Publish-ModelBlob demo $store -Destination $store/layout").Errors);
        switch (fault)
        {
            case "lost":
                File.Delete(_store.Blob(_model.Blobs[0].Digest));
                break;
            case "index":
                File.WriteAllText(Path.Combine(_store.Path, "layout", "index.json"), "{}");
                break;
        }

        string command = fault switch
        {
            "changed" => "$m = Get-ModelManifest demo -Local -StorePath $store; $row = [ordered]@{}; foreach ($p in $m.PSObject.Properties) { $row[$p.Name] = $p.Value }; $row.Raw += ' '; [pscustomobject] $row | Save-ModelBlob -StorePath $store",
            "lost" => "Save-ModelBlob demo $store/copy -Source $store",
            _ => "Save-ModelBlob demo $store/copy -Source $store/layout",
        };
        Assert.Equal(action, Run(command).SingleError(id, fault == "lost" ? ErrorCategory.ObjectNotFound : ErrorCategory.InvalidData).ErrorDetails.RecommendedAction);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    public void Dispose()
    {
        _engine.Dispose();
        _store.Dispose();
    }

    /// <summary>Four digits in a row are a raw count, where they are no part of a digest, of a path, of an address or of a time.</summary>
    private void AssertReadable(string message)
    {
        string text = NoCount().Replace(message.Replace(_store.Path, string.Empty, StringComparison.Ordinal).Replace(_registry.Address.Authority, string.Empty, StringComparison.Ordinal), string.Empty);
        Assert.DoesNotMatch("[0-9]{4}", text);
    }

    private void Break(string fault)
    {
        BlobContent weights = _model.Blobs[0];
        if (fault == "room")
        {
            const long Size = 900_000_000_000_000;
            string manifest = $$"""{"schemaVersion":2,"layers":[{"mediaType":"application/vnd.ollama.image.model","digest":"{{weights.Digest}}","size":{{Size}}}]}""";
            _registry.Offer(_model.WithManifest(System.Text.Encoding.UTF8.GetBytes(manifest)));
            return;
        }

        if (fault is "less" or "more")
        {
            _registry.OfferBlob(weights.Digest, BlobContent.Generate(fault == "more" ? weights.Length + 1 : 1_234_567, 2));
        }

        _registry.Fault = (request, answer) =>
        {
            if (!request.IsBlob || request.Leaf != weights.Digest)
            {
                return;
            }

            switch (fault)
            {
                case "flip":
                    answer.FlipAt = 1_234_567;
                    break;
                case "lost":
                    answer.Become(404, "{}");
                    break;
                case "cut":
                    answer.CutAfter = answer.Start == 0 ? 1_500_000 : 0;
                    break;
                case "short":
                    answer.SendWhole();
                    answer.IsLengthTold = false;
                    answer.Length = 1_000_000;
                    break;
                case "more":
                    answer.IsLengthTold = false;
                    break;
            }
        };
    }

    /// <summary>The error of a command, whether that ends the call or not.</summary>
    private ErrorRecord ErrorOf(string command, string id)
    {
        EngineResult result = Run($"try {{ {command} }} catch {{ $_ }}");
        return result.Errors.Concat(result.Output.Select(item => item.BaseObject).OfType<ErrorRecord>())
            .First(error => error.FullyQualifiedErrorId.StartsWith($"{id},", StringComparison.Ordinal));
    }

    private EngineResult Run(string script) => _engine.Run($"param($store, $registry) {script}", _store.Path, _registry.Address);

    [GeneratedRegex(@"sha256[:-][0-9a-f]{64}|\d+:\d\d:\d\d[.,]\d+")]
    private static partial Regex NoCount();
}
