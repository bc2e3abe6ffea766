using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using PSModel.Campaign.Reporting;
using PSModel.Core.Transfer;
using PSModel.TestParts;

namespace PSModel.Campaign.Storage;

/// <summary>What stands between the program and its store: <c>Shim/store.c</c>. A process has it from its start, so a part that
/// needs it is run in another one. For one thread.</summary>
internal static class StoreShim
{
    /// <summary>What this program is started with to run a part with the shim.</summary>
    public const string Command = "shimmed";

    private const string Library = "psmodel_shim";
    private const string Preload = "LD_PRELOAD";
    private const int LongestName = 4096;

    private static readonly TimeSpan Patience = TimeSpan.FromHours(3);

    /// <summary>Runs a part in a process that has the shim.</summary>
    public static async Task RunPartAsync(CampaignOptions options, PartReport report)
    {
        using TemporaryFolder folder = new();
        string library = Path.Combine(folder.Path, "store.so");
        using (ChildProcess compiler = ChildProcess.Start("gcc", ["-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", library, Source, "-ldl", "-lpthread"]))
        {
            report.Check(await compiler.WaitAsync() == 0, "the shim compiles", 0, () => compiler.Error);
        }

        string result = Path.Combine(folder.Path, "report");
        using ChildProcess child = ChildProcess.Start("dotnet", [typeof(StoreShim).Assembly.Location, Command, report.Part, JsonSerializer.Serialize(options), result], (Preload, library));
        int code = await child.WaitAsync(Patience);
        if (File.Exists(result))
        {
            report.Add(JsonSerializer.Deserialize<PartResult>(await File.ReadAllTextAsync(result))!);
        }
        else
        {
            report.Check(false, "the part runs to its end", 0, () => $"it ended with {code}: {child.Output}{child.Error}");
        }
    }

    /// <summary>The core's own calls of the system come by here as well.</summary>
    public static void Attach()
    {
        nint handle = NativeLibrary.Load(Environment.GetEnvironmentVariable(Preload)!);
        NativeLibrary.SetDllImportResolver(typeof(StoreShim).Assembly, (name, _, _) => name == Library ? handle : 0);
        NativeLibrary.SetDllImportResolver(typeof(ModelSaver).Assembly, (name, _, _) => name is "libc" ? handle : 0);
    }

    /// <summary>Begins to count.</summary>
    /// <param name="folder">What is done below it counts.</param>
    /// <param name="failAt">The number of the step that fails, from 1; 0 for none.</param>
    /// <param name="error">The error by which it does; -1 for a write that goes half way.</param>
    /// <param name="log">Where everything is written down; empty for nowhere.</param>
    public static void Begin(string folder, int failAt = 0, int error = 0, string log = "") => Begin(Text(folder), failAt, error, Text(log));

    /// <summary>Ends that.</summary>
    /// <returns>The number of steps, and the one that failed: a letter and the path.</returns>
    public static (int Steps, string Failed) End()
    {
        byte[] buffer = new byte[LongestName];
        int steps = (int)End(buffer, buffer.Length);
        return (steps, Encoding.UTF8.GetString(buffer, 0, Array.IndexOf(buffer, (byte)0)));
    }

    /// <summary>Writes a line into the log.</summary>
    public static void Mark(string text) => Mark(Text(text));

    private static byte[] Text(string text) => Encoding.UTF8.GetBytes(text + '\0');

    private static string Source => Path.Combine(Checkout.Root, "tests", "campaign", "Shim", "store.c");

    [DllImport(Library, EntryPoint = "shim_begin")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern void Begin(byte[] folder, nint at, int error, byte[] log);

    [DllImport(Library, EntryPoint = "shim_end")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint End([Out] byte[] buffer, int size);

    [DllImport(Library, EntryPoint = "shim_mark")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern void Mark(byte[] text);
}
