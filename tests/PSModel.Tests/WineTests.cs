using PSModel.Loopback;
using PSModel.TestParts;
using Xunit.Abstractions;

namespace PSModel.Tests;

/// <summary>The module in PowerShell for Windows, under Wine: kills and resume, two processes, Ctrl-C, the Pester files, the demo.</summary>
public sealed class WineTests(ITestOutputHelper output)
{
    /// <summary>Alone each takes some minutes; other test projects may run at the same time.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(20);

    [NeedsWineFact]
    public async Task The_module_passes_these_tests_on_Windows() => output.WriteLine(await Wine.TestAsync("PSModel.Tests", Patience));

    [NeedsWineFact]
    public async Task The_Pester_files_pass_there()
    {
        using ChildProcess shell = Wine.Start(
            "pwsh", "-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-File", Checkout.PesterRunner, "-Pester", PesterTests.Find("6.2.0"));
        int failed = await shell.WaitAsync(Patience);
        Assert.True(failed == 0, shell.Output + shell.Error);
        Assert.Contains(" 0 failed, 0 skipped.", shell.Output, StringComparison.Ordinal);
        output.WriteLine(shell.Output);
    }

    [NeedsWineFact]
    public async Task The_demo_runs_there_by_the_names_that_it_has_here()
    {
        // The registry is on this side: what the demo's program does besides is to bring PowerShell, for which Wine has no SDK.
        await using LoopbackRegistry registry = LoopbackRegistry.StartWithoutPort();
        LoopbackModel model = LoopbackModel.Generate("library/demo", "latest", 256 * 1024 * 1024);
        using ChildProcess demo = Wine.Start(
            "pwsh", "-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-File", Path.Combine(Path.GetDirectoryName(Checkout.ConsoleProgram)!, "Demo.ps1"),
            "-Module", Checkout.StagedModule, "-Name", registry.Offer(model), "-Digest", model.Blobs[0].Digest, "-StorePath", @"C:\demo");
        Assert.True(await demo.WaitAsync(Patience) == 0, demo.Output + demo.Error);
        Assert.Contains("Downloaded", demo.Output, StringComparison.Ordinal);
        Assert.Contains("Repaired", demo.Output, StringComparison.Ordinal);
        output.WriteLine(demo.Output);
    }
}
