using System.Xml.Linq;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>The Pester files, in real PowerShell.</summary>
public sealed class PesterTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    /// <summary>Wherever they lie: those of the samples too. What is built holds none.</summary>
    public static TheoryData<string> Files => [.. Directory.GetFiles(Tests, "*.Tests.ps1", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(Tests, path)).Order(StringComparer.Ordinal)];

    private static string Tests => Path.Combine(Checkout.Root, "tests");

    [Theory]
    [InlineData("6.2.0", "C.UTF-8", "-Reversed")]
    [InlineData("5.9.1", "C.UTF-8", "-Reversed")]
    [InlineData("5.9.1", "de_DE.UTF-8")]
    public async Task All_pass_together(string version, string culture, params string[] more)
    {
        string output = await RunAsync(version, culture, more);
        Assert.All(Files, (object[] row) => Assert.Contains((string)row[0], output, StringComparison.Ordinal));
        Assert.Equal(culture.StartsWith("de", StringComparison.Ordinal), output.Contains("Culture: de-DE", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public async Task Each_passes_alone_and_its_results_are_written(string file)
    {
        using TemporaryFolder folder = new();
        string results = Path.Combine(folder.Path, "results", "pester.xml");
        await RunAsync("6.2.0", "C.UTF-8", "-Path", Path.Combine(Tests, file), "-ResultPath", results);
        Assert.Equal("test-results", XDocument.Load(results).Root!.Name.LocalName);
    }

    /// <summary>The build before them is what made this test, and is told of alone.</summary>
    [NeedsFact("sh")]
    public async Task The_build_script_builds_and_then_runs_them_alone()
    {
        using TemporaryFolder folder = new();
        string built = Path.Combine(folder.Path, "built");
        string shim = Path.Combine(folder.Path, "dotnet");
        string real = NeedsFactAttribute.Find("dotnet")!;
        await File.WriteAllTextAsync(shim, $"#!/bin/sh\n[ \"$1\" != build ] || exec echo \"$@\" > '{built}'\nexec '{real}' \"$@\"\n");
        await ChildProcess.RunAsync("chmod", "+x", shim);
        string results = Path.Combine(folder.Path, "pester.xml");
        using ChildProcess shell = ChildProcess.Start(
            real,
            [Pwsh.Program, "-NoProfile", "-NonInteractive", "-File", Path.Combine(Checkout.Root, "build.ps1"), "-Task", "Pester", "-ResultPath", results],
            ("PATH", $"{folder.Path}:{Environment.GetEnvironmentVariable("PATH")}"));
        int exitCode = await shell.WaitAsync(Patience);
        Assert.True(exitCode == 0, shell.Output + shell.Error);
        Assert.Contains("Pester 6.2.0: ", shell.Output, StringComparison.Ordinal);
        Assert.Contains(" 0 failed, 0 skipped.", shell.Output, StringComparison.Ordinal);
        Assert.Equal($"build {Path.Combine(Checkout.Root, "PSModel.sln")} --nologo", (await File.ReadAllTextAsync(built)).Trim());
        Assert.Equal("test-results", XDocument.Load(results).Root!.Name.LocalName);
    }

    /// <summary>The manifest of a Pester that was restored.</summary>
    internal static string Find(string version) => Path.Combine(Checkout.Packages, "pester", version, "tools", "Pester.psd1");

    private static async Task<string> RunAsync(string version, string culture, params string[] arguments)
    {
        using ChildProcess shell = ChildProcess.Start(
            "dotnet",
            [Pwsh.Program, "-NoProfile", "-NonInteractive", "-File", Checkout.PesterRunner, "-Pester", Find(version), .. arguments],
            ("LC_ALL", culture));
        int failed = await shell.WaitAsync(Patience);
        Assert.True(failed == 0, shell.Output + shell.Error);
        Assert.Contains($"Pester {version}: ", shell.Output, StringComparison.Ordinal);
        Assert.Contains(" 0 failed, 0 skipped.", shell.Output, StringComparison.Ordinal);
        return shell.Output;
    }
}
