using System.Diagnostics;

namespace PSModel.Core.Tests.Files;

/// <summary>What the system's own programs say and do.</summary>
internal static class Unix
{
    /// <summary>What <c>stat</c> tells of a file or a link itself.</summary>
    public static string Stat(string path, string format) => Run("stat", "-c", format, path).Trim();

    /// <summary>Runs a program, and fails if it does.</summary>
    public static string Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        string output = process.StandardOutput.ReadToEnd();
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, error);
        return output;
    }
}
