using PSModel.TestParts;
using Xunit.Abstractions;

namespace PSModel.Tests;

/// <summary>The tests of the module themselves, as a program of Windows under Wine: kills and resume, two processes, Ctrl-C. Beside those of
/// <see cref="WineTests"/>, for each of the two waits more than it works.</summary>
public sealed class WineModuleTests(ITestOutputHelper output)
{
    /// <summary>Alone they take some minutes; other tests run at the same time.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(20);

    [NeedsWineFact]
    public async Task The_module_passes_these_tests_on_Windows() => output.WriteLine(await Wine.TestAsync("PSModel.Tests", Patience));
}
