using System.Text.RegularExpressions;
using Xunit;

namespace PSModel.TestParts;

/// <summary>Wine, as <c>tests/windows/install.sh</c> lays it out.</summary>
public static class Wine
{
    /// <summary>With which <see cref="TestProgram"/> begins what it tells of a failure.</summary>
    private const string Failed = "FAILED ";

    /// <summary>What <c>run.sh</c> gives where a program did not end in time.</summary>
    private const int NotEnded = 124;

    /// <summary>More are no matter of speed.</summary>
    private const int MostAgain = 5;

    private static readonly string Folder = Path.Combine(Checkout.Root, "tests", "windows");

    /// <summary>Where it lies, and what came with it.</summary>
    public static string Cache { get; } = Path.Combine(
        Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } cache ? cache : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache"),
        "psmodel-wine");

    /// <summary>Whether it is there whole.</summary>
    public static bool IsThere => !OperatingSystem.IsWindows() && Environment.UserName == "root" && File.Exists(Path.Combine(Cache, "ready"));

    /// <summary>Starts a program for .NET as a program of Windows, on a console of its own.</summary>
    /// <remarks>Under whatever shell the user has: a script of several lines came through with bash alone.</remarks>
    public static ChildProcess Start(params string[] arguments) => StartTraced("-all", arguments);

    /// <summary>Starts one whose calls of Windows are written with what it tells.</summary>
    /// <param name="channels">Which calls, as Wine's <c>WINEDEBUG</c> has them.</param>
    /// <param name="arguments">The program and its arguments.</param>
    public static ChildProcess StartTraced(string channels, params string[] arguments) =>
        Start(arguments, ("PSMODEL_WINEDEBUG", channels));

    /// <summary>Runs the tests of a project there, less those that <c>left-out.txt</c> names. A few that fail are run once more, alone:
    /// beside other tests Wine is slower than those of many connections expect.</summary>
    /// <returns>What they told.</returns>
    public static async Task<string> TestAsync(string project, TimeSpan patience)
    {
        (bool passed, string output) = await RunAsync(project, patience);
        string[] failed = [.. output.Split('\n').Where(line => line.StartsWith(Failed, StringComparison.Ordinal)).Select(NameOf).Distinct()];
        bool isOfTests = !output.Split('\n').Any(line => line.StartsWith("ERROR ", StringComparison.Ordinal));
        if (!passed && isOfTests && failed.Length is > 0 and <= MostAgain)
        {
            (passed, string again) = await RunAsync(project, patience, failed);
            output += again;
        }

        Assert.True(passed, output);
        return output;
    }

    private static async Task<(bool Passed, string Output)> RunAsync(string project, TimeSpan patience, params string[] only)
    {
        // Ended by the script and not from here, it shows what it wrote until then.
        string program = Path.Combine(Checkout.Root, "tests", project, "bin", Checkout.Configuration, "net10.0", $"{project}.dll");
        using ChildProcess tests = Start(["dotnet", program, .. only], ("PSMODEL_WINE_PATIENCE", $"{patience.TotalSeconds:0}"));
        int exitCode = await tests.WaitAsync(patience + TimeSpan.FromMinutes(1));

        // Where all tests have ended and the program has not, it was Wine that could not end it.
        bool passed = exitCode is 0 or NotEnded && Regex.IsMatch(tests.Output, " on Win32NT: [1-9][0-9]* passed, 0 failed, ");
        return (passed, $"exit code {exitCode}\n{tests.Output}{tests.Error}");
    }

    private static ChildProcess Start(IEnumerable<string> arguments, params (string Name, string Value)[] environment) =>
        ChildProcess.Start(Path.Combine(Folder, "run.sh"), arguments, [("SHELL", "/bin/sh"), .. environment]);

    /// <summary>A method, without the values that it was given.</summary>
    private static string NameOf(string line) => line[Failed.Length..].Split('(')[0].Trim();
}
