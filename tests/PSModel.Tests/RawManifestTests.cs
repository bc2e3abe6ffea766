using System.Management.Automation;
using System.Text;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>The text of a manifest, whatever it is.</summary>
public sealed class RawManifestTests : IAsyncLifetime, IDisposable
{
    private const int Bound = 4 * 1024 * 1024;

    private readonly EngineSession _engine = new();
    private readonly TemporaryFolder _store = new();
    private readonly LoopbackRegistry _registry = LoopbackRegistry.Start();
    private readonly LoopbackModel _model = LoopbackModel.Generate("library/demo", "7b", 5000);

    [Fact]
    public void It_is_given_byte_for_byte() => AssertGiven($"{Encoding.UTF8.GetString(_model.Manifest)}\n \t\n");

    [Theory]
    [InlineData("<html>Sign in</html>\n")]
    [InlineData("")]
    [InlineData("{\"schemaVersion\":1}")]
    [InlineData("{\"schemaVersion\":2,\"manifests\":[]}")]
    [InlineData("{\"note\":\"\u0085\u001b[31m")]
    public void It_is_given_where_it_is_refused_as_well(string text)
    {
        ErrorRecord refused = Get(Offer(text), string.Empty).SingleError("ManifestInvalid", ErrorCategory.InvalidData);
        Assert.Contains("-Raw", refused.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
        AssertGiven(text);
    }

    [Fact]
    public void It_is_given_up_to_the_bound_and_not_past_it()
    {
        AssertGiven(new string('x', Bound));
        Get(Offer(new string('x', Bound + 1)), "-Raw").SingleError("ManifestInvalid", ErrorCategory.InvalidData);
        PutInStore(new string('x', Bound + 1));
        Get("demo", "-Raw -Local").SingleError("ManifestInvalid", ErrorCategory.InvalidData);
    }

    [Fact]
    public void Where_there_is_none_the_error_stays()
    {
        Get($"{_registry.Address}library/none", "-Raw").SingleError("ManifestNotFound", ErrorCategory.ObjectNotFound);
        Get("none", "-Raw -Local").SingleError("ManifestNotFound", ErrorCategory.ObjectNotFound);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    public void Dispose()
    {
        _engine.Dispose();
        _store.Dispose();
    }

    private void AssertGiven(string text)
    {
        PutInStore(text);
        foreach (EngineResult result in new[] { Get(Offer(text), "-Raw"), Get("demo", "-Raw -Local"), Get("d*", "-Raw -Local") })
        {
            Assert.Empty(result.Errors);
            Assert.Equal(text, Assert.Single(result.Output).BaseObject);
        }
    }

    private string Offer(string text) => _registry.Offer(_model.WithManifest(Encoding.UTF8.GetBytes(text)));

    private void PutInStore(string text)
    {
        string path = Path.Combine(_store.Path, "manifests", "registry.ollama.ai", "library", "demo", "latest");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }

    private EngineResult Get(string name, string how) => _engine.Run($"param($name, $store) Get-ModelManifest $name -StorePath $store {how}", name, _store.Path);
}
