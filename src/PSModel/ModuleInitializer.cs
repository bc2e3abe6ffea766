using System.Management.Automation;
using System.Reflection;
using System.Runtime.InteropServices;

namespace PSModel;

/// <summary>
/// Tells the runtime where the core lies, before the first cmdlet needs it: in a load context of its own on PowerShell 7,
/// beside the module on Windows PowerShell.
/// </summary>
public sealed class ModuleInitializer : IModuleAssemblyInitializer
{
    private const string ContextAssembly = "PSModel.LoadContext";

    private static readonly string Folder = Path.GetDirectoryName(typeof(ModuleInitializer).Assembly.Location)!;

    /// <inheritdoc/>
    public void OnImport()
    {
        bool isFramework = RuntimeInformation.FrameworkDescription.StartsWith(".NET Framework", StringComparison.Ordinal);
        if (isFramework)
        {
            AppDomain.CurrentDomain.AssemblyResolve += (_, request) => Find(request.Name);
            return;
        }

        string folder = Path.Combine(Folder, "net8.0");

        // By reflection, for the type does not exist on Windows PowerShell.
        Assembly.LoadFrom(Path.Combine(folder, $"{ContextAssembly}.dll"))
            .GetType($"{ContextAssembly}.ModuleLoadContext", throwOnError: true)!
            .GetMethod("Install")!
            .Invoke(null, [folder]);
    }

    /// <summary>Windows PowerShell has no binding redirects: what the core asks for is found by simple name, in the module's
    /// own folder alone.</summary>
    private static Assembly? Find(string name)
    {
        string path = Path.Combine(Folder, "netstandard2.0", $"{new AssemblyName(name).Name}.dll");
        return File.Exists(path) ? Assembly.LoadFrom(path) : null;
    }
}
