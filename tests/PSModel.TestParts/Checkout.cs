using System.Reflection;

namespace PSModel.TestParts;

/// <summary>Where things lie in the checkout that the tests were built from.</summary>
public static class Checkout
{
    /// <summary>The top of the checkout.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The module's version.</summary>
    public static string Version { get; } = typeof(Checkout).Assembly.GetName().Version!.ToString(3);

    /// <summary>The manifest of the staged module.</summary>
    public static string StagedModule { get; } = Path.Combine(Root, "out", "PSModel", Version, "PSModel.psd1");

    /// <summary>The program that starts the demo and serves the loopback registry.</summary>
    public static string ConsoleProgram { get; } = Path.Combine(Root, "src", "PSModel.Cli", "bin", Configuration, "net10.0", "PSModel.Cli.dll");

    /// <summary>The program that saves models while everything goes wrong.</summary>
    public static string Campaign { get; } = Path.Combine(Root, "tests", "campaign", "bin", Configuration, "net10.0", "PSModel.Campaign.dll");

    /// <summary>The least binary module that there can be.</summary>
    public static string EmptyModule { get; } =
        Path.Combine(Root, "tests", "PSModel.EmptyModule", "bin", Configuration, "netstandard2.0", "PSModel.EmptyModule.dll");

    /// <summary>The core's tests for .NET Framework.</summary>
    public static string FrameworkTests { get; } =
        Path.Combine(Root, "tests", "PSModel.Core.FrameworkTests", "bin", Configuration, "net472", "PSModel.Core.FrameworkTests.dll");

    /// <summary>The program that loads the module as Windows PowerShell does.</summary>
    public static string FrameworkHost { get; } =
        Path.Combine(Root, "tests", "PSModel.FrameworkHost", "bin", Configuration, "net472", "PSModel.FrameworkHost.exe");

    /// <summary>Where NuGet keeps the packages that were restored.</summary>
    public static string Packages { get; } =
        typeof(Checkout).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(data => data.Key == "NuGetPackageRoot").Value!;

    /// <summary>What .NET Framework 4.7.2 has.</summary>
    public static string FrameworkReferences { get; } =
        Path.Combine(Packages, "microsoft.netframework.referenceassemblies.net472", "1.0.3", "build", ".NETFramework", "v4.7.2");

    /// <summary>Runs the Pester files.</summary>
    public static string PesterRunner { get; } = Path.Combine(Root, "tests", "Invoke-PesterFile.ps1");

    /// <summary>The configuration that the tests were built in.</summary>
    public static string Configuration => typeof(Checkout).Assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()!.Configuration;

    private static string FindRoot()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "PSModel.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new InvalidOperationException("The tests do not run from a checkout.");
    }
}
