using System.Runtime.CompilerServices;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>Compiles the shim that makes reading files of a store go wrong.</summary>
internal static class ReadBackShim
{
    /// <summary>What a test names in <see cref="NeedsFactAttribute"/>.</summary>
    public const string Compiler = "gcc";

    /// <summary>Compiles it into a folder.</summary>
    /// <returns>The environment of a process that is to have it.</returns>
    public static async Task<(string Name, string Value)[]> CompileAsync(string folder, string store, [CallerFilePath] string here = "")
    {
        string library = Path.Combine(folder, "readback.so");
        string source = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(Resolve(here)))!, "Shim", "readback.c");
        using ChildProcess compiler = ChildProcess.Start(Compiler, ["-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", library, source, "-ldl"]);
        Assert.True(await compiler.WaitAsync() == 0, compiler.Error);
        return [("LD_PRELOAD", library), ("PSMODEL_SHIM_STORE", store)];
    }

    /// <summary>The build maps the checkout's path away, so that two builds give the same bytes.</summary>
    private static string Resolve(string path) =>
        path.StartsWith("/_/", StringComparison.Ordinal) ? Path.Combine(Checkout.Root, path["/_/".Length..]) : path;
}
