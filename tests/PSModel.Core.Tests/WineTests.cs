using PSModel.TestParts;
using Xunit.Abstractions;

namespace PSModel.Core.Tests;

/// <summary>The core on Windows, or the nearest to it that Linux has: files, locks and connections are those of Wine, the runtime
/// is that of Windows.</summary>
[Collection(nameof(Alone))]
public sealed class WineTests(ITestOutputHelper output)
{
    /// <summary>Alone they take three minutes; other test projects may run at the same time.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(15);

    [NeedsWineFact]
    public Task The_core_passes_these_tests_on_Windows() => RunAsync("PSModel.Core.Tests");

    [NeedsWineFact]
    public Task So_does_its_build_for_Windows_PowerShell() => RunAsync("PSModel.Core.StandardTests");

    private async Task RunAsync(string project) => output.WriteLine(await Wine.TestAsync(project, Patience));
}
