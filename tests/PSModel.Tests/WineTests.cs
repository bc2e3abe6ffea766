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

    /// <summary>A letter of a drive tells nothing of a volume that is mounted below it.</summary>
    [NeedsWineFact]
    public async Task Room_is_that_of_the_volume_which_is_mounted_in_the_folder()
    {
        const long Room = 24 * 1024 * 1024;
        await using LoopbackRegistry registry = LoopbackRegistry.StartWithoutPort();
        string name = registry.Offer(LoopbackModel.Generate("library/demo", "latest", 2 * Room));
        using TemporaryFolder store = new();
        await ChildProcess.RunAsync("mount", "-t", "tmpfs", "-o", $"size={Room}", "none", store.Path);
        try
        {
            string output = await RunAsync("Bypass", $$"""
                Import-Module '{{Checkout.StagedModule}}'
                Save-ModelBlob '{{name}}' 'Z:{{store.Path}}' -ErrorVariable failed -ErrorAction SilentlyContinue | Out-Null
                foreach ($record in $failed) { "$($record.FullyQualifiedErrorId) $($record.Exception.AvailableBytes -in 1..{{Room}})" }
                """);
            Assert.Equal("InsufficientDiskSpace,PSModel.Commands.SaveModelBlobCommand True", output.Trim());
        }
        finally
        {
            await ChildProcess.RunAsync("umount", store.Path);
        }
    }

    /// <summary>PowerShell reads no format file then that is not signed. What the README advises is done by its variable, since the
    /// signatures of PowerShell's own modules are not read under Wine.</summary>
    [NeedsWineFact]
    public async Task The_policy_Restricted_refuses_the_import_and_RemoteSigned_for_the_session_allows_it()
    {
        string output = await RunAsync("Restricted", $$"""
            $ProgressPreference = 'SilentlyContinue'
            try { Import-Module '{{Checkout.StagedModule}}' -ErrorAction Stop; 'imported' } catch { "$_" }
            $env:PSExecutionPolicyPreference = 'RemoteSigned'
            Import-Module '{{Checkout.StagedModule}}' -ErrorAction Stop
            [PSModel.ModelLayer].Name
            """);
        Assert.Contains("PSModel.Format.ps1xml cannot be loaded because running scripts is disabled", output, StringComparison.Ordinal);
        Assert.DoesNotContain("imported", output, StringComparison.Ordinal);
        Assert.EndsWith("ModelLayer", output.TrimEnd(), StringComparison.Ordinal);
    }

    private static async Task<string> RunAsync(string policy, string script)
    {
        using ChildProcess shell = Wine.Start("pwsh", "-NoProfile", "-NonInteractive", "-ExecutionPolicy", policy, "-Command", script);
        int exitCode = await shell.WaitAsync(Patience);
        Assert.True(exitCode == 0, $"exit code {exitCode}\n{shell.Error}{shell.Output}");
        return shell.Output;
    }
}
