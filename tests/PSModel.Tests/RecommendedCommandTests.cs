using System.Management.Automation;
using System.Text.RegularExpressions;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>Every command that a message recommends is pasted, in a session whose default store is another one.</summary>
public sealed partial class RecommendedCommandTests : IAsyncLifetime, IDisposable
{
    private const int MiB = 1024 * 1024;

    private readonly EngineSession _engine = new();
    private readonly TemporaryFolder _folder = new();
    private readonly LoopbackRegistry _registry = LoopbackRegistry.Start();
    private readonly LoopbackModel _model = LoopbackModel.Generate("library/demo", "latest", 5 * MiB);
    private readonly string _store;
    private readonly string _weights;

    public RecommendedCommandTests()
    {
        _store = Path.Combine(_folder.Path, "it's the ‘store’ $x");
        _weights = Path.Combine(_store, "blobs", _model.Blobs[0].Digest.Replace(':', '-'));
    }

    /// <summary>How a model may have come to the store, and how its damage may be found.</summary>
    public static TheoryData<string, string, string> Cases()
    {
        string[] saves =
        [
            "Save-ModelBlob $name $store -VerifyInline",
            "Save-ModelBlob demo $store -VerifyInline -Registry $registry",
            "Get-ModelManifest demo -Registry $registry | Save-ModelBlob -StorePath $store -VerifyInline",
        ];
        string[] finds =
        [
            "Get-ModelManifest -Local -StorePath $store | Test-ModelBlob -StorePath $store -Diagnose",
            "Test-ModelBlob -LiteralPath $path -Diagnose",
            "Get-ModelManifest $name | Test-ModelBlob -StorePath $store -Diagnose",
        ];
        TheoryData<string, string, string> cases = [];
        foreach (string damage in new[] { "bit", "short", "foreign", "gone" })
        {
            foreach ((string save, string find) in saves.SelectMany(save => finds.Select(find => (save, find))))
            {
                cases.Add(damage, save, find);
            }
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void What_a_diagnosis_recommends_mends_the_blob(string damage, string save, string find)
    {
        Assert.Empty(Run(save).Errors);
        Damage(damage);
        long sent = _registry.BlobBytesSent;

        EngineResult diagnosis = Run($"{find} -ErrorVariable failed -ErrorAction SilentlyContinue | Where-Object Verdict -ne Healthy | ForEach-Object Recommendation; $failed | ForEach-Object {{ $_.ErrorDetails.RecommendedAction }}");
        string recommended = Assert.Single(diagnosis.Output).ToString();
        Paste(recommended);

        Assert.Equal(_model.Blobs[0].Digest, $"sha256:{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(_weights)))}");

        // On a slow machine bytes are asked for a second time, so that only the repair of a block can be told from a whole fetch.
        Assert.InRange(_registry.BlobBytesSent - sent, 1, damage == "bit" ? 2 * MiB : long.MaxValue);
    }

    [Fact]
    public void A_damaged_manifest_is_written_anew_by_the_command_that_its_error_gives()
    {
        Run("Save-ModelBlob $name $store -VerifyInline");
        string manifest = Directory.GetFiles(Path.Combine(_store, "manifests"), "*", SearchOption.AllDirectories).Single();
        File.WriteAllText(manifest, "{");
        string action = Run("Get-ModelManifest $name -Local -StorePath $store").SingleError("ManifestInvalid", ErrorCategory.InvalidData).ErrorDetails.RecommendedAction;
        Paste(action);
        Assert.Equal(_model.Manifest, File.ReadAllBytes(manifest));
    }

    [Fact]
    public void What_the_store_has_is_listed_by_the_command_that_the_error_gives()
    {
        Run("Save-ModelBlob $name $store -VerifyInline");
        string action = Run("Test-ModelBlob nobody $store").SingleError("ManifestNotFound", ErrorCategory.ObjectNotFound).ErrorDetails.RecommendedAction;
        Assert.Single(Paste(action).Output);
    }

    [Fact]
    public void What_a_layout_has_is_listed_by_the_command_that_the_error_gives()
    {
        Assert.Empty(Run("Save-ModelBlob $name $store -VerifyInline; Publish-ModelBlob $name -StorePath $store -Destination \"$store layout\"").Errors);
        string action = Run("Get-ModelManifest nobody -Source \"$store layout\"").SingleError("ManifestNotFound", ErrorCategory.ObjectNotFound).ErrorDetails.RecommendedAction;
        Assert.Single(Paste(action).Output);
    }

    [Fact]
    public void A_blob_that_is_missing_when_its_model_is_published_is_fetched_by_the_command_that_the_error_gives()
    {
        Run("Save-ModelBlob $name $store -VerifyInline");
        Damage("gone");
        string action = Run("Publish-ModelBlob $name -StorePath $store -Destination \"$store layout\"").SingleError("BlobNotFound", ErrorCategory.ObjectNotFound).ErrorDetails.RecommendedAction;
        Paste(action);
        Assert.Equal(_model.Blobs[0].Length, new FileInfo(_weights).Length);
    }

    /// <summary>What it needs is not known, so that no blob of another model is removed; there are two ways out.</summary>
    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public void A_manifest_that_cannot_be_read_holds_up_no_removal_after_either_command_that_the_error_gives(int choice, bool stays)
    {
        string other = _registry.Offer(LoopbackModel.Generate("library/other", "latest", MiB, seed: 2));
        Assert.Empty(Run($"Save-ModelBlob $name, '{other}' $store -VerifyInline").Errors);
        string manifest = Directory.GetFiles(Path.Combine(_store, "manifests"), "*", SearchOption.AllDirectories).Single(path => path.Contains("demo", StringComparison.Ordinal));
        File.WriteAllText(manifest, "{");
        string action = Run($"Remove-ModelBlob '{other}' -StorePath $store").SingleError("ManifestInvalid", ErrorCategory.InvalidData).ErrorDetails.RecommendedAction;
        Paste(action, choice);
        Assert.Equal(stays, File.Exists(manifest));
        Assert.Empty(Run($"Remove-ModelBlob '{other}' -StorePath $store").Errors);
        Assert.True(File.Exists(_weights));
    }

    [Fact]
    public void A_model_of_the_store_is_repaired_from_where_it_came()
    {
        Run("Save-ModelBlob $name $store -VerifyInline");
        Damage("bit");
        EngineResult result = Run("Get-ModelManifest -Local -StorePath $store | Save-ModelBlob -StorePath $store -Repair -MaximumRetryCount 0 -ConnectionTimeoutSeconds 5");
        Assert.Empty(result.Errors);
        Assert.Equal("Repaired", result.Of(_model.Blobs[0].Digest).Properties["Status"].Value);
    }

    [Fact]
    public void Where_it_came_from_is_forgotten_when_it_comes_from_where_its_name_says()
    {
        Run("Save-ModelBlob demo $store -VerifyInline -Registry $registry");
        Assert.Equal(_registry.Address.GetLeftPart(UriPartial.Authority), Run("Get-ModelManifest demo -Local -StorePath $store").Output[0].Properties["Origin"].Value);

        // Another program updates the model, from where it wants.
        string manifest = Directory.GetFiles(Path.Combine(_store, "manifests"), "*", SearchOption.AllDirectories).Single();
        File.AppendAllText(manifest, "\n");
        Assert.Null(Run("Get-ModelManifest demo -Local -StorePath $store").Output[0].Properties["Origin"].Value);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    public void Dispose()
    {
        _engine.Dispose();
        _folder.Dispose();
    }

    private void Damage(string damage)
    {
        byte[] bytes = File.ReadAllBytes(_weights);
        bytes[(2 * MiB) + 5] ^= 1;
        switch (damage)
        {
            case "bit":
                File.WriteAllBytes(_weights, bytes);
                break;
            case "short":
                File.WriteAllBytes(_weights, bytes[..(2 * MiB)]);
                break;
            case "foreign":
                File.WriteAllText(_weights, "<html>sign in</html>");
                break;
            default:
                File.Delete(_weights);
                break;
        }
    }

    private EngineResult Run(string script) => _engine.Run(
        $"param($name, $store, $registry, $path) {script}", _registry.Offer(_model), _store, _registry.Address, _weights);

    private EngineResult Paste(string text, int choice = 0)
    {
        string command = Command().Matches(text)[choice].Groups[1].Value;
        EngineResult result = _engine.Run(command);
        Assert.Null(result.Thrown);
        Assert.Empty(result.Errors);
        return result;
    }

    [GeneratedRegex("\"([A-Z][a-z]+-Model[^\"]+)\"")]
    private static partial Regex Command();
}
