using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>What names a model names it to every command: rows in whatever way they were made, and the module's own objects.</summary>
public sealed class PipedNameTests : IDisposable
{
    private const string Reread = "ForEach-Object { [System.Management.Automation.PSSerializer]::Deserialize([System.Management.Automation.PSSerializer]::Serialize($_)) }";

    /// <summary>As Get-Content gives lines: texts that say from where they are.</summary>
    private const string Line = "$line = [psobject]::AsPSObject('demo'); $line.PSObject.Properties.Add([psnoteproperty]::new('PSPath', '/names')); $line";

    private readonly EngineSession _engine = new();
    private readonly TemporaryFolder _store = new();
    private readonly TemporaryFolder _other = new();
    private readonly LoopbackModel _model = LoopbackModel.Generate("library/demo", "latest", 4000);

    public PipedNameTests()
    {
        OllamaStore store = new(_store.Path);
        store.PutBlobs(_model);
        store.PutManifest(_model.Manifest, "registry.ollama.ai", "library", "demo", "latest");
    }

    public static TheoryData<string, string> Cases()
    {
        string[] sources =
        [
            "[pscustomobject]@{ Name = 'demo'; Note = 'x' }",
            "[pscustomobject]@{ Model = 'demo'; Note = 'x' }",
            Line,
            $"[pscustomobject]@{{ Name = & {{ {Line} }} }}",
            $"[pscustomobject]@{{ Model = & {{ {Line} }} }}",
            "Get-ModelManifest demo -Local -StorePath $store",
            $"Get-ModelManifest demo -Local -StorePath $store | {Reread}",
            "Get-ModelManifest demo -Local -StorePath $store -ListTag",
            $"Get-ModelManifest demo -Local -StorePath $store -ListTag | {Reread}",
            "Get-ModelManifest demo -Local -StorePath $store | Export-ModelPin $other/pins; Import-ModelPin $other/pins",
            $"Get-ModelManifest demo -Local -StorePath $store | Export-ModelPin $other/pins; Import-ModelPin $other/pins | {Reread}",
            "Get-ModelManifest demo -Local -StorePath $store | Export-ModelPin $other/pins; Import-ModelPin $other/pins | ForEach-Object { [pscustomobject]@{ Name = $_.Name; ManifestDigest = $_.ManifestDigest; Origin = $_.Origin } }",
            "Save-ModelBlob demo $other/saved -Source $store -Summary",
            $"Save-ModelBlob demo $other/saved -Source $store -Summary | {Reread}",
        ];
        string[] commands =
        [
            "Save-ModelBlob -StorePath $other/copy -Source $store",
            "Test-ModelBlob -StorePath $store",
            "Publish-ModelBlob -StorePath $store -Destination $other/layout",
            "Remove-ModelBlob -StorePath $store -PassThru | Where-Object Kind -eq Blob",
        ];
        TheoryData<string, string> cases = [];
        foreach (string source in sources)
        {
            cases.Add(source, "Get-ModelManifest -Local -StorePath $store | ForEach-Object Layers");
            Array.ForEach(commands, command => cases.Add(source, command));
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void It_names_it_to_every_command(string source, string command)
    {
        EngineResult result = Run($"& {{ {source} }} | {command}");
        Assert.Empty(result.Errors);
        Assert.Null(result.Thrown);
        string[] expected = [.. _model.Blobs.Select(blob => blob.Digest)];
        Assert.Equal(
            command.StartsWith("Get-", StringComparison.Ordinal) ? expected.SkipLast(1) : expected.Order(StringComparer.Ordinal),
            command.StartsWith("Get-", StringComparison.Ordinal) ? result.Values("Digest") : result.Values("Digest").Cast<string>().Order(StringComparer.Ordinal));
    }

    /// <summary>As PowerShell's own commands say it.</summary>
    [Theory]
    [InlineData("Save-ModelBlob")]
    [InlineData("Test-ModelBlob")]
    [InlineData("Publish-ModelBlob")]
    [InlineData("Remove-ModelBlob")]
    public void Nothing_names_no_model_and_the_error_says_of_which_parameter(string command)
    {
        foreach (string script in new[] { $"try {{ {command} $null -StorePath $store }} catch {{ $_ }}", $"$undefined | {command} -StorePath $store", $"[pscustomobject]@{{ Name = '' }} | {command} -StorePath $store" })
        {
            EngineResult result = Run(script);
            string message = Assert.Single(result.Errors.Select(error => error.Exception.Message).Concat(result.Output.Select(item => item.ToString())));
            Assert.Matches("parameter '(Name|Manifest)'.*(null|empty)", message);
            Assert.DoesNotContain("obj", message, StringComparison.Ordinal);
        }

        Assert.Single(Run("Get-ModelManifest -Local -StorePath $store").Output);
    }

    public void Dispose()
    {
        _engine.Dispose();
        _store.Dispose();
        _other.Dispose();
    }

    private EngineResult Run(string script) => _engine.Run($"param($store, $other) {script}", _store.Path, _other.Path);
}
