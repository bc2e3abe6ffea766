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

    private EngineResult Run(string script) => _engine.Run($"param($store, $registry) {script}", _store.Path, _registry.Address);

    [GeneratedRegex(@"sha256[:-][0-9a-f]{64}|\d+:\d\d:\d\d[.,]\d+")]
    private static partial Regex NoCount();
}
