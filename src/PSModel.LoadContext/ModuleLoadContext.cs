using System.Reflection;
using System.Runtime.Loader;

namespace PSModel.LoadContext;

/// <summary>
/// Holds the core and its dependencies apart from the session, so that another module's Polly or System.Text.Json can be of
/// any version. Thread-safe.
/// </summary>
public sealed class ModuleLoadContext : AssemblyLoadContext
{
    private const string CoreName = "PSModel.Core";

    private static int _isInstalled;

    private readonly string _folder;

    private ModuleLoadContext(string folder)
        : base("PSModel") => _folder = folder;

    /// <summary>From now on the core, and nothing else, is found in <paramref name="folder"/>. Once a process, since no module is
    /// ever unloaded: later calls do nothing.</summary>
    /// <param name="folder">An absolute path.</param>
    public static void Install(string folder)
    {
        if (Interlocked.Exchange(ref _isInstalled, 1) != 0)
        {
            return;
        }

        ModuleLoadContext context = new(folder);
        Default.Resolving += (_, name) => name.Name == CoreName ? context.LoadCore() : null;
    }

    /// <inheritdoc/>
    protected override Assembly? Load(AssemblyName assemblyName)
    {
        string path = Path.Combine(_folder, $"{assemblyName.Name}.dll");
        return File.Exists(path) ? LoadFromAssemblyPath(path) : null;
    }

    /// <summary>By its path: what this context does not find by name, the runtime looks for in the default one, which would ask
    /// here again, and so on until the stack is used up.</summary>
    private Assembly? LoadCore()
    {
        string path = Path.Combine(_folder, $"{CoreName}.dll");
        return File.Exists(path) ? LoadFromAssemblyPath(path) : null;
    }
}
