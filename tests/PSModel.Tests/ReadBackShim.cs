using System.Globalization;
using System.Runtime.CompilerServices;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>Compiles the shim that makes reading files of a store go wrong.</summary>
internal static class ReadBackShim
{
    /// <summary>What a test names in <see cref="NeedsFactAttribute"/>.</summary>
    public const string Compiler = "gcc";

    /// <summary>Compiles the one that makes reading go wrong into a folder.</summary>
    /// <param name="folder">Where the library goes.</param>
    /// <param name="store">Files below this folder are read wrong.</param>
    /// <param name="settings">How, as <c>Shim/readback.c</c> says.</param>
    /// <returns>The environment of a process that is to have it.</returns>
    public static async Task<(string Name, string Value)[]> CompileAsync(string folder, string store, params (string Name, string Value)[] settings) =>
        [("LD_PRELOAD", await CompileAsync(folder, "readback")), ("PSMODEL_SHIM_STORE", store), .. settings];

    /// <summary>Compiles the one that makes the machine compute wrong.</summary>
    /// <returns>The environment of a process that is to have it: without vector instructions, the hash is libcrypto's.</returns>
    public static async Task<(string Name, string Value)[]> CompileMemoryAsync(string folder) =>
        [("LD_PRELOAD", await CompileAsync(folder, "memory")), ("DOTNET_EnableAVX2", "0")];

    /// <summary>Compiles the one that loses a write.</summary>
    /// <param name="folder">Where the library goes.</param>
    /// <param name="which">Which flush of a partial file fails.</param>
    /// <param name="mark">A file that is made when that flush begins.</param>
    /// <returns>The environment of a process that is to have it.</returns>
    public static async Task<(string Name, string Value)[]> CompileFlushAsync(string folder, string which, string mark) =>
        [("LD_PRELOAD", await CompileAsync(folder, "flush")), ("PSMODEL_SHIM_FLUSH", which), ("PSMODEL_SHIM_MARK", mark)];

    /// <summary>Compiles the one that makes a process one of a machine that shares the store with others.</summary>
    /// <param name="folder">Where the library goes.</param>
    /// <param name="host">Which machine, from 1 on.</param>
    /// <returns>The environment of a process that is to have it.</returns>
    public static async Task<(string Name, string Value)[]> CompileShareAsync(string folder, int host) =>
        [("LD_PRELOAD", await CompileAsync(folder, "share")), ("PSMODEL_SHIM_HOST", host.ToString(CultureInfo.InvariantCulture))];

    private static async Task<string> CompileAsync(string folder, string name, [CallerFilePath] string here = "")
    {
        string library = Path.Combine(folder, $"{name}.so");
        string source = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(Resolve(here)))!, "Shim", $"{name}.c");
        using ChildProcess compiler = ChildProcess.Start(Compiler, ["-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", library, source, "-ldl"]);
        Assert.True(await compiler.WaitAsync() == 0, compiler.Error);
        return library;
    }

    /// <summary>The build maps the checkout's path away, so that two builds give the same bytes.</summary>
    private static string Resolve(string path) =>
        path.StartsWith("/_/", StringComparison.Ordinal) ? Path.Combine(Checkout.Root, path["/_/".Length..]) : path;
}
