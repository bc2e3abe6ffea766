using PSModel.TestParts;
using Xunit.Abstractions;

namespace PSModel.Core.Tests;

/// <summary>The core as Windows PowerShell loads it, on the nearest to .NET Framework that Linux has.</summary>
[Collection(nameof(Alone))]
public sealed class MonoTests(ITestOutputHelper output)
{
    /// <summary>Debian's mono-runtime comes without it, its mono-devel with it.</summary>
    private const string Facade = "/usr/lib/mono/4.5/Facades/netstandard.dll";

    /// <summary>Alone they take a minute; other test projects may run at the same time.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    [NeedsFact("mono", Facade)]
    public async Task The_netstandard_build_passes_these_tests_on_Mono()
    {
        string folder = Path.GetDirectoryName(Checkout.FrameworkTests)!;
        using ChildProcess mono = ChildProcess.Start("mono", ["--debug", Path.Combine(folder, "xunit.console.exe"), Checkout.FrameworkTests]);
        int exitCode = await mono.WaitAsync(Patience);

        Assert.True(exitCode == 0, $"exit code {exitCode}\n{mono.Output}{mono.Error}");
        Assert.Matches("Total: [1-9][0-9]*, Errors: 0, Failed: 0, Skipped: 0", mono.Output);
        output.WriteLine(mono.Output);
    }
}
