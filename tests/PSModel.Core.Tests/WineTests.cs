using PSModel.TestParts;
using Xunit.Abstractions;

namespace PSModel.Core.Tests;

/// <summary>The core on Windows, or the nearest to it that Linux has: files, locks and connections are those of Wine, the runtime
/// is that of Windows.</summary>
[Collection(nameof(Alone))]
public sealed class WineTests(ITestOutputHelper output)
{
    /// <summary>They take six minutes; other test projects may run at the same time.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(12);

    /// <summary>Each of the two keeps one core busy.</summary>
    private static readonly Lazy<Dictionary<string, Task<string>>> Runs = new(() => new[] { Core, Standard }.ToDictionary(project => project, project => Wine.TestAsync(project, Patience)));

    private const string Core = "PSModel.Core.Tests";
    private const string Standard = "PSModel.Core.StandardTests";

    [NeedsWineFact]
    public Task The_core_passes_these_tests_on_Windows() => ShowAsync(Core);

    [NeedsWineFact]
    public Task So_does_its_build_for_Windows_PowerShell() => ShowAsync(Standard);

    private async Task ShowAsync(string project) => output.WriteLine(await Runs.Value[project]);
}
