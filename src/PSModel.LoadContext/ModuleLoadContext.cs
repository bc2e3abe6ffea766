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

    private readonly string _folder;

    private ModuleLoadContext(string folder)
        : base("PSModel") => _folder = folder;

    /// <summary>From now on the core, and nothing else, is found in <paramref name="folder"/>. Called once a process, since
    /// no module is ever unloaded.</summary>
    /// <param name="folder">An absolute path.</param>
    public static void Install(string folder)
    {
        ModuleLoadContext context = new(folder);
        Default.Resolving += (_, name) => name.Name == CoreName ? context.LoadFromAssemblyName(name) : null;
    }

    /// <inheritdoc/>
    protected override Assembly? Load(AssemblyName assemblyName)
    {
        string path = Path.Combine(_folder, $"{assemblyName.Name}.dll");
        return File.Exists(path) ? LoadFromAssemblyPath(path) : null;
    }
}
