using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>A module whose core is not there, or damaged, at the first use, before or after the import: uninstalled in the session,
/// quarantined, copied in part. The import loads no core, and the first use does. A core in use that is cut short is not tried: Linux
/// ends a process whose mapped file has lost its pages, and nothing in that process can prevent it.</summary>
public sealed class MissingCoreTests : IDisposable
{
    private static readonly string[] Calls =
    [
        "Get-ModelManifest demo", "Get-ModelManifest -Local", "Save-ModelBlob demo", "Test-ModelBlob demo", "Publish-ModelBlob demo", "Remove-ModelBlob demo",
        "@() | Export-ModelPin list", "Import-ModelPin list",
    ];

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

    public static TheoryData<string, bool> Cases()
    {
        TheoryData<string, bool> cases = [];
        foreach (string call in Calls)
        {
            cases.Add(call, false);
            cases.Add(call, true);
        }

        return cases;
    }

    [Fact]
    public void Every_command_of_the_module_is_among_those_that_are_tried() =>
        Assert.Equal(ModuleCommands.All, Calls.Select(call => call.Split(' ').First(word => word.Contains("-Model", StringComparison.Ordinal))).Distinct().Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_core_that_is_gone_is_a_clear_error(string command, bool isImported)
    {
        string output = await RunAsync($"Remove-Item -LiteralPath '{_core}'", command, isImported);
        Assert.Contains($"'{_core}'", output, StringComparison.Ordinal);
        Assert.Contains("a new session", output, StringComparison.Ordinal);
        Assert.EndsWith("still here", output.TrimEnd(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_core_that_was_copied_in_part_is_a_clear_error(bool isImported)
    {
        string output = await RunAsync($"[IO.File]::WriteAllBytes('{_core}', [IO.File]::ReadAllBytes('{_core}')[0..50000])", "Save-ModelBlob demo", isImported);
        Assert.Contains($"'{_core}'", output, StringComparison.Ordinal);
        Assert.EndsWith("still here", output.TrimEnd(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Tab_completes_nothing_then(bool isImported)
    {
        string output = await RunAsync(
            $"Remove-Item -LiteralPath '{_core}'",
            "'Test-ModelBlob -Name ', 'Test-ModelBlob x -Digest ', 'Test-ModelBlob -StorePath ' | ForEach-Object { $null = [System.Management.Automation.CommandCompletion]::CompleteInput($_, $_.Length, $null) }",
            isImported);
        Assert.Equal("still here", output.Trim());
    }

    /// <summary>Windows removes no file that is loaded.</summary>
    [Fact]
    public async Task A_core_that_is_removed_after_the_first_use_is_used_on()
    {
        Directory.CreateDirectory(Path.Combine(_folder.Path, "store", "manifests"));
        string list = $"Get-ModelManifest -Local -StorePath '{Path.Combine(_folder.Path, "store")}'";
        string output = await RunAsync($"{list}; Remove-Item -LiteralPath '{_core}' -ErrorAction Ignore; \"there: $(Test-Path '{_core}')\"", $"$Error.Clear(); {list}; \"errors: $($Error.Count)\"", isImported: true);
        Assert.Equal([$"there: {OperatingSystem.IsWindows()}", "errors: 0", "still here"], output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
    }

    public void Dispose() => _folder.Dispose();

    private async Task<string> RunAsync(string damage, string command, bool isImported)
    {
        string import = $"Import-Module '{_module}'";
        using ChildProcess process = ChildProcess.Start(
            "dotnet",
            Pwsh.Bare($"{(isImported ? import : damage)}; {(isImported ? damage : import)}; try {{ {command} }} catch {{ \"$_ $($_.ErrorDetails.RecommendedAction)\" }}; 'still here'"));
        await process.WaitAsync();
        return process.Error + process.Output;
    }
}
