using System.Management.Automation;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>What another program lets nobody read, whichever command needs it: in use, with the file, and nothing is changed.</summary>
public sealed class HeldByOthersTests : IDisposable
{
    private readonly EngineSession _engine = new();
    private readonly TemporaryFolder _store = new();
    private readonly TemporaryFolder _other = new();
    private readonly LoopbackModel _model = LoopbackModel.Generate("library/demo", "latest", 4000);
    private readonly OllamaStore _ollama;

    public HeldByOthersTests()
    {
        _ollama = new OllamaStore(_store.Path);
        _ollama.PutBlobs(_model);
        _ollama.PutManifest(_model.Manifest, "registry.ollama.ai", "library", "demo", "latest");
    }

    private string Manifest => _ollama.ManifestPath("registry.ollama.ai", "library", "demo", "latest");

    [Theory]
    [InlineData("Get-ModelManifest demo -Local -StorePath $store")]
    [InlineData("Test-ModelBlob demo $store")]
    [InlineData("Publish-ModelBlob demo $store -Destination $other/layout")]
    [InlineData("Save-ModelBlob demo $other/copy -Source $store")]
    [InlineData("Remove-ModelBlob demo $store")]
    public void A_manifest(string script) => AssertInUse(Manifest, script);

    [Theory]
    [InlineData("Publish-ModelBlob demo $store -Destination $other/layout")]
    [InlineData("Save-ModelBlob demo $other/copy -Source $store -MaximumRetryCount 0")]
    [InlineData("Save-ModelBlob demo $other/copy -Source $store -Link -MaximumRetryCount 0")]
    [InlineData("Test-ModelBlob demo $store -Digest $digest -Diagnose")]
    public void A_blob(string script) => AssertInUse(_store.Blob(_model.Blobs[0].Digest), script);

    [Fact]
    public void A_list_that_is_read()
    {
        string list = Path.Combine(_other.Path, "pins");
        Assert.Empty(Run($"Get-ModelManifest -Local -StorePath $store | Export-ModelPin '{list}'").Errors);
        AssertInUse(list, $"Import-ModelPin '{list}'");
    }

    /// <summary>Windows replaces no file that is open, and Linux does.</summary>
    [Fact]
    public void A_list_that_is_written()
    {
        string list = Path.Combine(_other.Path, "pins");
        File.WriteAllText(list, "before");
        string script = $"Get-ModelManifest -Local -StorePath $store | Export-ModelPin '{list}'";
        if (OperatingSystem.IsWindows())
        {
            AssertInUse(list, script);
            Assert.Equal("before", File.ReadAllText(list));
        }
        else
        {
            using FileStream holder = new(list, FileMode.Open, FileAccess.Read, FileShare.None);
            Assert.Empty(Run(script).Errors);
        }
    }

    /// <summary>Virus scanners and indexers hold a file for moments.</summary>
    [Fact]
    public async Task A_manifest_that_is_held_for_a_moment_is_waited_for()
    {
        FileStream holder = new(Manifest, FileMode.Open, FileAccess.Read, FileShare.None);
        Task<EngineResult> reading = Task.Run(() => Run("Get-ModelManifest demo -Local -StorePath $store"));
        await Task.WhenAny(reading, Task.Delay(300));
        await holder.DisposeAsync();
        EngineResult result = await reading;
        Assert.Empty(result.Errors);
        Assert.Single(result.Output);
    }

    public void Dispose()
    {
        _engine.Dispose();
        _store.Dispose();
        _other.Dispose();
    }

    private void AssertInUse(string path, string script)
    {
        SortedDictionary<string, string> before = _store.Snapshot();
        using (FileStream holder = new(path, FileMode.Open, FileAccess.Read, FileShare.None))
        {
            ErrorRecord error = Run(script).SingleError("BlobInUse", ErrorCategory.ResourceBusy);
            Assert.Contains(path, error.Exception.Message, StringComparison.Ordinal);
            Assert.Contains("Close the program", error.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
        }

        Assert.Equal(before, _store.Snapshot());
    }

    private EngineResult Run(string script) => _engine.Run($"param($store, $other, $digest) {script}", _store.Path, _other.Path, _model.Blobs[0].Digest);
}
