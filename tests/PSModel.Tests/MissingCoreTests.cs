using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>A module whose core is not there, or damaged, at the first use: uninstalled in the session, quarantined, copied in part.
/// It is damaged before the import, for what was loaded by then would be used on.</summary>
public sealed class MissingCoreTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _module;
    private readonly string _core;

    public MissingCoreTests()
    {
        string staged = Path.GetDirectoryName(Checkout.StagedModule)!;
        foreach (string file in Directory.EnumerateFiles(staged, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(_folder.Path, Path.GetRelativePath(staged, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        _module = Path.Combine(_folder.Path, "PSModel.psd1");
        _core = Path.Combine(_folder.Path, "bin", "net8.0", "PSModel.Core.dll");
    }

    [Theory]
    [InlineData("Get-ModelManifest demo")]
    [InlineData("Get-ModelManifest -Local")]
    [InlineData("Save-ModelBlob demo")]
    [InlineData("Test-ModelBlob demo")]
    public async Task A_core_that_is_gone_is_a_clear_error(string command)
    {
        string output = await RunAsync($"Remove-Item -LiteralPath '{_core}'", command);
        Assert.Contains($"'{_core}'", output, StringComparison.Ordinal);
        Assert.Contains("a new session", output, StringComparison.Ordinal);
        Assert.EndsWith("still here", output.TrimEnd(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_core_that_was_copied_in_part_is_a_clear_error()
    {
        string output = await RunAsync($"[IO.File]::WriteAllBytes('{_core}', [IO.File]::ReadAllBytes('{_core}')[0..50000])", "Save-ModelBlob demo");
        Assert.Contains($"'{_core}'", output, StringComparison.Ordinal);
        Assert.EndsWith("still here", output.TrimEnd(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tab_completes_nothing_then()
    {
        string output = await RunAsync(
            $"Remove-Item -LiteralPath '{_core}'",
            "'Test-ModelBlob -Name ', 'Test-ModelBlob x -Digest ', 'Test-ModelBlob -StorePath ' | ForEach-Object { $null = [System.Management.Automation.CommandCompletion]::CompleteInput($_, $_.Length, $null) }");
        Assert.Equal("still here", output.Trim());
    }

    public void Dispose() => _folder.Dispose();

    private async Task<string> RunAsync(string damage, string command)
    {
        using ChildProcess process = ChildProcess.Start(
            "dotnet",
            Pwsh.Bare($"{damage}; Import-Module '{_module}'; try {{ {command} }} catch {{ \"$_ $($_.ErrorDetails.RecommendedAction)\" }}; 'still here'"));
        await process.WaitAsync();
        return process.Error + process.Output;
    }
}
