using System.Diagnostics;

namespace PSModel.Cli;

/// <summary>The PowerShell that <c>.config/dotnet-tools.json</c> pins.</summary>
internal static class PowerShellTool
{
    private static readonly string Root = FindRoot();

    /// <summary>The staged module that this program was built with.</summary>
    public static string Module { get; } = Path.Combine(Root, "out", "PSModel", typeof(PowerShellTool).Assembly.GetName().Version!.ToString(3), "PSModel.psd1");

    /// <summary>Runs a script on this terminal, and brings PowerShell first where it is not there.</summary>
    /// <param name="script">The path of a file.</param>
    /// <param name="arguments">Its parameters and their values.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunFileAsync(string script, params string[] arguments)
    {
        Console.WriteLine("Bringing PowerShell up, as a dotnet tool of this checkout. The first time it is downloaded from NuGet, about 70 MB.");
        int restored = await RunAsync("tool", "restore");
        return restored != 0 ? restored : await RunAsync(["tool", "run", "pwsh", "--", "-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-File", script, .. arguments]);
    }

    private static async Task<int> RunAsync(params string[] arguments)
    {
        // Ctrl-C reaches both, and it is PowerShell that ends in order.
        Console.CancelKeyPress += Leave;
        try
        {
            using Process process = Process.Start(new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = Root })!;
            await process.WaitForExitAsync();
            return process.ExitCode;
        }
        finally
        {
            Console.CancelKeyPress -= Leave;
        }
    }

    private static void Leave(object? sender, ConsoleCancelEventArgs e) => e.Cancel = true;

    private static string FindRoot()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "PSModel.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new InvalidOperationException("This program runs in a checkout of PSModel.");
    }
}
