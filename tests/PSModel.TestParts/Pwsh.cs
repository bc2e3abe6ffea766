using System.Text.Json;

namespace PSModel.TestParts;

/// <summary>Real PowerShell: the dotnet tool that the checkout pins, as the arguments of <c>dotnet</c>, so that it is the process
/// itself which is killed and traced.</summary>
public static class Pwsh
{
    /// <summary>Its program.</summary>
    public static string Program { get; } = Find();

    /// <summary>Runs a script with the staged module imported.</summary>
    public static string[] WithModule(string script) => WithModule(Checkout.StagedModule, script);

    /// <summary>Runs a script with a module imported.</summary>
    /// <param name="module">The module's manifest.</param>
    /// <param name="script">The script; where its last command fails, the exit code is 1.</param>
    public static string[] WithModule(string module, string script) => Bare($"Import-Module '{module}'; {script}");

    /// <summary>Runs a script.</summary>
    public static string[] Bare(string script) => [Program, "-NoProfile", "-NonInteractive", "-Command", script];

    private static string Find()
    {
        if (OperatingSystem.IsWindows())
        {
            // tests/windows/install.sh put it there, with pwsh.exe.
            return @"Z:\pwsh\pwsh.dll";
        }

        using JsonDocument manifest = JsonDocument.Parse(File.ReadAllText(Path.Combine(Checkout.Root, ".config", "dotnet-tools.json")));
        string version = manifest.RootElement.GetProperty("tools").GetProperty("powershell").GetProperty("version").GetString()!;
        return Path.Combine(Checkout.Packages, "powershell", version, "tools", "net10.0", "any", "unix", "pwsh.dll");
    }
}
