using Xunit;

namespace PSModel.TestParts;

/// <summary>Wine, as <c>tests/windows/install.sh</c> lays it out.</summary>
public static class Wine
{
    private static readonly string Folder = Path.Combine(Checkout.Root, "tests", "windows");

    /// <summary>Whether it is there whole.</summary>
    public static bool IsThere => !OperatingSystem.IsWindows() && Environment.UserName == "root" && File.Exists(Path.Combine(
        Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache ? cache : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache"),
        "psmodel-wine",
        "ready"));

    /// <summary>Starts a program for .NET as a program of Windows, on a console of its own.</summary>
    public static ChildProcess Start(params string[] arguments) => ChildProcess.Start(Path.Combine(Folder, "run.sh"), arguments);

    /// <summary>Runs the tests of a project there, less those that <c>left-out.txt</c> names.</summary>
    /// <returns>What they told.</returns>
    public static async Task<string> TestAsync(string project, TimeSpan patience)
    {
        using ChildProcess tests = Start("dotnet", Path.Combine(Checkout.Root, "tests", project, "bin", Checkout.Configuration, "net10.0", $"{project}.dll"));
        int exitCode = await tests.WaitAsync(patience);
        Assert.True(exitCode == 0, $"exit code {exitCode}\n{tests.Output}{tests.Error}");
        Assert.Matches(" on Win32NT: [1-9][0-9]* passed, 0 failed, ", tests.Output);
        return tests.Output;
    }
}
