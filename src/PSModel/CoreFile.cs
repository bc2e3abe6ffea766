using System.Runtime.CompilerServices;
using PSModel.Core.Faults;

namespace PSModel;

/// <summary>The assembly of the core. Between the import and the first use it may go: the module is uninstalled in the session, a
/// virus scanner takes it away, a copy was broken off. Stateless and thread-safe.</summary>
internal static class CoreFile
{
    /// <summary>Loads it, and says what is wrong where that fails; the runtime's own message names no file. <see langword="null"/>
    /// where nothing is.</summary>
    public static FileNotFoundException? WhyNotThere()
    {
        try
        {
            Touch();
            return null;
        }
        catch (Exception e) when (e is IOException or BadImageFormatException)
        {
            string path = Path.Combine(ModuleInitializer.CoreFolder, "PSModel.Core.dll");
            return new FileNotFoundException($"'{path}', a part of the module PSModel, is gone or damaged.", path, e);
        }
    }

    /// <summary>A method of its own, since the one that names a type fails as a whole where that cannot be loaded.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Touch() => RuntimeHelpers.RunClassConstructor(typeof(ModelFaultException).TypeHandle);
}
