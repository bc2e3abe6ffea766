using System.Reflection;

namespace PSModel.FrameworkHost;

/// <summary>Imports the module as far as that goes without PowerShell, saves a model by its core, and says from where everything was
/// loaded.</summary>
internal static class Program
{
    /// <param name="arguments">The module's folder <c>bin</c>, a model's name, a store.</param>
    private static int Main(string[] arguments)
    {
        string standard = typeof(Program).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(data => data.Key == "PowerShellStandard").Value!;
        AppDomain.CurrentDomain.AssemblyResolve += (_, request) =>
            new AssemblyName(request.Name).Name == "System.Management.Automation" ? Assembly.LoadFrom(standard) : null;

        Assembly module = Assembly.LoadFrom(Path.Combine(arguments[0], "PSModel.dll"));
        Type initializer = module.GetType("PSModel.ModuleInitializer", throwOnError: true)!;
        initializer.GetMethod("OnImport")!.Invoke(Activator.CreateInstance(initializer), null);
        Console.WriteLine(string.Join(" ", module.GetExportedTypes().Where(type => type.Name.EndsWith("Command", StringComparison.Ordinal) && !type.IsAbstract).Select(type => type.Name).OrderBy(name => name, StringComparer.Ordinal)));

        int code = Saving.Run(arguments[1], arguments[2]);
        foreach (Assembly assembly in AppDomain.CurrentDomain.GetAssemblies().Where(assembly => assembly.Location.StartsWith(arguments[0], StringComparison.Ordinal)))
        {
            Console.WriteLine($"loaded {assembly.Location}");
        }

        return code;
    }
}
