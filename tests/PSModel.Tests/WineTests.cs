using System.Globalization;
using System.Text.RegularExpressions;
using PSModel.Loopback;
using PSModel.TestParts;
using Xunit.Abstractions;

namespace PSModel.Tests;

/// <summary>The module in PowerShell for Windows, under Wine: the Pester files, the demo, and what is looked at from outside.</summary>
public sealed partial class WineTests(ITestOutputHelper output)
{
    /// <summary>Alone each takes some minutes; other test projects may run at the same time.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(20);

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

    /// <summary>A rename that returns before the disk has it may be lost with the power, and what was written after it not.</summary>
    [NeedsWineFact]
    public async Task Every_rename_in_a_store_is_written_through()
    {
        // MOVEFILE_WRITE_THROUGH and MOVEFILE_REPLACE_EXISTING of winbase.h.
        const int WriteThrough = 8;
        const int ReplaceExisting = 1;
        await using LoopbackRegistry registry = LoopbackRegistry.StartWithoutPort();
        LoopbackModel model = LoopbackModel.Generate("library/demo", "latest", 3_000_000);
        using ChildProcess shell = Wine.StartTraced(
            "trace+file", "pwsh", "-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-Command",
            $@"Import-Module '{Checkout.StagedModule}'; Save-ModelBlob '{registry.Offer(model)}' C:\renamed -VerifyInline; Get-ModelManifest -Local -StorePath C:\renamed | Export-ModelPin C:\renamed\pins");
        Assert.Equal(0, await shell.WaitAsync(Patience));
        Match[] renames = [.. Rename().Matches(shell.Output + shell.Error).Cast<Match>()];
        Assert.All(model.Blobs, blob => Assert.Contains(renames, rename => rename.Groups[1].Value.EndsWith($@"\\blobs\\{blob.Digest.Replace(':', '-')}", StringComparison.Ordinal)));
        Assert.All(["latest", "pins", ".blocks"], name => Assert.Contains(renames, rename => rename.Groups[1].Value.EndsWith(name, StringComparison.Ordinal)));
        Assert.All(renames, rename => Assert.Equal(WriteThrough, int.Parse(rename.Groups[2].Value, NumberStyles.HexNumber, CultureInfo.InvariantCulture) & ~ReplaceExisting));
    }

    /// <summary>Windows has no file of CAs, and its store is not written by tests; a certificate that nobody knows is refused, and taken
    /// where that is asked for.</summary>
    [NeedsWineFact(Nginx.Program, Certificate.Program)]
    public async Task Models_come_over_TLS_from_a_certificate_that_is_taken_and_from_no_other()
    {
        using TemporaryFolder folder = new();
        await using LoopbackRegistry registry = LoopbackRegistry.Start();
        LoopbackModel model = LoopbackModel.Generate("library/demo", "latest", 60_000_000);
        registry.Offer(model);
        using Nginx nginx = await Nginx.StartBeforeAsync(folder.Path, registry.Address, await Certificate.MakeAsync(folder.Path));
        string save = $"Save-ModelBlob demo C:\\tls -VerifyInline -MaximumRetryCount 0 -ErrorAction SilentlyContinue -ErrorVariable failed -Registry https://127.0.0.1:{nginx.Port}";
        string output = await RunAsync("Bypass", $$"""
            Import-Module '{{Checkout.StagedModule}}'
            $null = {{save}}
            foreach ($record in $failed) { "$($record.FullyQualifiedErrorId) $($record.Exception.Message -like '*certificate*')" }
            ({{save}} -SkipCertificateCheck | ForEach-Object Verified) -join ' '
            "$($failed.Count) failed"
            """);
        Assert.Equal(
            ["RegistryUnreachable,PSModel.Commands.SaveModelBlobCommand True", "True True True True True", "0 failed"],
            output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
    }

    /// <summary>PowerShell reads no format file then that is not signed. The command that the README advises is run under another policy,
    /// since the signatures of PowerShell's own modules are not read under Wine; what it wrote counts for the processes that follow.</summary>
    [NeedsWineFact]
    public async Task The_policy_Restricted_refuses_the_import_and_the_advised_one_allows_it()
    {
        string output = await RunAsync("Bypass", $$"""
            $inherited = $env:PSExecutionPolicyPreference
            foreach ($policy in 'Restricted', 'RemoteSigned') {
                $env:PSExecutionPolicyPreference = $inherited
                try { Set-ExecutionPolicy $policy -Scope CurrentUser -Force -ErrorAction Stop } catch { "$($_.FullyQualifiedErrorId)" }
                $env:PSExecutionPolicyPreference = $null
                pwsh -NoProfile -NonInteractive -Command "try { Import-Module '{{Checkout.StagedModule}}' -ErrorAction Stop; [PSModel.ModelLayer].Name } catch { `"`$_`" }"
            }
            """);

        // Each time it says that the policy of its own session is another one.
        Assert.Equal(2, Regex.Count(output, "ExecutionPolicyOverride"));
        Assert.Contains("PSModel.Format.ps1xml cannot be loaded because running scripts is disabled", output, StringComparison.Ordinal);
        Assert.EndsWith("ModelLayer", output.TrimEnd(), StringComparison.Ordinal);
        Assert.Single(Regex.Matches(output, "ModelLayer"));
    }

    /// <summary>As Wine writes a call for a file of the store: to where, and the flags.</summary>
    [GeneratedRegex(@"MoveFileWithProgressW \(L""[^""]*"",L""([^""]*renamed[^""]*)"",[^)]*,([0-9a-f]+)\)")]
    private static partial Regex Rename();

    private static async Task<string> RunAsync(string policy, string script)
    {
        using ChildProcess shell = Wine.Start("pwsh", "-NoProfile", "-NonInteractive", "-ExecutionPolicy", policy, "-Command", script);
        int exitCode = await shell.WaitAsync(Patience);
        Assert.True(exitCode == 0, $"exit code {exitCode}\n{shell.Error}{shell.Output}");
        return shell.Output;
    }
}
