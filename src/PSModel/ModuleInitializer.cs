using System.Management.Automation;
using System.Reflection;

namespace PSModel;

/// <summary>
/// Tells the runtime where the core lies, before the first cmdlet needs it: in a load context of its own on PowerShell 7,
/// beside the module on Windows PowerShell.
/// </summary>
public sealed class ModuleInitializer : IModuleAssemblyInitializer
{
    private const string ContextAssembly = "PSModel.LoadContext";

    private static readonly string Folder = Path.GetDirectoryName(typeof(ModuleInitializer).Assembly.Location)!;

    /// <summary>Whether the runtime has no load contexts: .NET Framework, and Mono.</summary>
    private static readonly bool IsFramework = typeof(object).Assembly.GetType("System.Runtime.Loader.AssemblyLoadContext") is null;

    /// <summary>Where the core lies for this edition of PowerShell.</summary>
    internal static string CoreFolder => Path.Combine(Folder, IsFramework ? "netstandard2.0" : "net8.0");

    /// <inheritdoc/>
    public void OnImport()
    {
        if (IsFramework)
        {
            // Once, however often the module is imported.
            AppDomain.CurrentDomain.AssemblyResolve -= Find;
            AppDomain.CurrentDomain.AssemblyResolve += Find;
            return;
        }

        // By reflection, for the type does not exist on Windows PowerShell.
        Assembly.LoadFrom(Path.Combine(CoreFolder, $"{ContextAssembly}.dll"))
            .GetType($"{ContextAssembly}.ModuleLoadContext", throwOnError: true)!
            .GetMethod("Install")!
            .Invoke(null, [CoreFolder]);
    }

    /// <summary>Windows PowerShell has no binding redirects: what the core asks for is found by simple name, in the module's
    /// own folder alone.</summary>
    private static Assembly? Find(object sender, ResolveEventArgs request)
    {
        string path = Path.Combine(CoreFolder, $"{new AssemblyName(request.Name).Name}.dll");
        return File.Exists(path) ? Assembly.LoadFrom(path) : null;
    }
}
