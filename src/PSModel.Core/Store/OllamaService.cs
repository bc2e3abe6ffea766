using System.Runtime.InteropServices;
using System.Text;

namespace PSModel.Core.Store;

/// <summary>
/// The servers of Ollama that run on this machine, as far as Linux tells: their environment may be read by root, and by their own
/// user. Stateless and thread-safe.
/// </summary>
public static class OllamaService
{
    private const string Processes = "/proc";
    private const string Program = "ollama";
    private const string Serve = "serve";
    private const string Home = "HOME";

    /// <summary>The store of a server that runs, where none that runs reads a given one.</summary>
    /// <param name="path">The path of a store.</param>
    /// <returns><see langword="null"/> where a server reads the store, and where none is known to run.</returns>
    public static string? OtherStore(string path)
    {
        List<string> stores = FindStores();
        if (stores.Count == 0)
        {
            return null;
        }

        string own = RealPath(path);
        return stores.Exists(store => RealPath(store) == own) ? null : stores.FirstOrDefault();
    }

    private static List<string> FindStores() => RuntimeInformation.IsOSPlatform(OSPlatform.Linux) && Directory.Exists(Processes)
        ? [.. ProcessFolders().Where(folder => int.TryParse(Path.GetFileName(folder), out _)).Select(TryFindStore).OfType<string>()]
        : [];

    private static string[] ProcessFolders()
    {
        try
        {
            return Directory.GetDirectories(Processes);
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            // A sandbox may hide them.
            return [];
        }
    }

    private static string? TryFindStore(string process)
    {
        try
        {
            string[] words = ReadTexts(process, "cmdline");
            if (words.Length < 2 || Path.GetFileName(words[0]) != Program || words[1] != Serve || !IsOfThisRoot(process))
            {
                return null;
            }

            Dictionary<string, string> variables = [];
            foreach (string[] pair in ReadTexts(process, "environ").Select(text => text.Split(['='], 2)).Where(pair => pair.Length == 2))
            {
                variables[pair[0]] = pair[1];
            }

            string? path = ModelStore.PathOf(
                variables.TryGetValue(ModelStore.PathVariable, out string? models) ? models : null,
                variables.TryGetValue(Home, out string? home) ? home : null);

            // Another one is of the folder in which the server was started.
            return path is not null && Path.IsPathRooted(path) ? path : null;
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            // It has ended, or its environment is not for us.
            return null;
        }
    }

    /// <summary>In a container the same path is another folder.</summary>
    private static bool IsOfThisRoot(string process) =>
        FileFacts.TryRead($"{process}/root") is { } its && FileFacts.TryRead("/") is { } own && its.IsSame(own);

    private static string[] ReadTexts(string process, string file)
    {
        // The length of such a file is told as 0.
        using FileStream stream = File.OpenRead($"{process}/{file}");
        using StreamReader reader = new(stream, Encoding.UTF8);
        return reader.ReadToEnd().Split(['\0'], StringSplitOptions.RemoveEmptyEntries);
    }

    private static string RealPath(string path) => UnixFile.RealPath(path) ?? path.TrimEnd('/');
}
