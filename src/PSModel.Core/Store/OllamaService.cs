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

    /// <summary>What is read of a command, in bytes: more than a path may be long.</summary>
    private const int LongestCommand = 8 * 1024;

    private static readonly byte[] ProgramBytes = Encoding.UTF8.GetBytes(Program);

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

    private static List<string> FindStores()
    {
        // A machine has hundreds of processes, and a session many calls.
        byte[] scratch = new byte[LongestCommand];
        return RuntimeInformation.IsOSPlatform(OSPlatform.Linux) && Directory.Exists(Processes)
            ? [.. ProcessFolders().Where(folder => int.TryParse(Path.GetFileName(folder), out _)).Select(folder => TryFindStore(folder, scratch)).OfType<string>()]
            : [];
    }

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

    private static string? TryFindStore(string process, byte[] scratch)
    {
        try
        {
            if (!IsServer(process, scratch) || !IsOfThisRoot(process))
            {
                return null;
            }

            Dictionary<string, string> variables = [];
            foreach (string[] pair in ReadTexts($"{process}/environ").Select(text => text.Split(['='], 2)).Where(pair => pair.Length == 2))
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

    private static bool IsServer(string process, byte[] scratch)
    {
        int length;
        using (FileStream stream = Open($"{process}/cmdline"))
        {
            length = stream.Read(scratch, 0, scratch.Length);
        }

        int end = Array.IndexOf(scratch, (byte)0, 0, length);
        if (end < Program.Length || !scratch.AsSpan(end - Program.Length, Program.Length).SequenceEqual(ProgramBytes))
        {
            return false;
        }

        string[] words = Encoding.UTF8.GetString(scratch, 0, length).Split(['\0'], StringSplitOptions.RemoveEmptyEntries);
        return words.Length >= 2 && Path.GetFileName(words[0]) == Program && words[1] == Serve;
    }

    /// <summary>In a container the same path is another folder.</summary>
    private static bool IsOfThisRoot(string process) =>
        FileFacts.TryRead($"{process}/root") is { } its && FileFacts.TryRead("/") is { } own && its.IsSame(own);

    private static string[] ReadTexts(string path)
    {
        // The length of such a file is told as 0.
        using FileStream stream = Open(path);
        using StreamReader reader = new(stream, Encoding.UTF8);
        return reader.ReadToEnd().Split(['\0'], StringSplitOptions.RemoveEmptyEntries);
    }

    private static FileStream Open(string path) => new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 1);

    private static string RealPath(string path) => UnixFile.RealPath(path) ?? path.TrimEnd('/');
}
