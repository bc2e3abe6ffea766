using PSModel.Core.Faults;
using PSModel.Core.Names;

namespace PSModel.Core.Store;

/// <summary>Refuses names that a store's file system cannot hold, or takes for others. Stateless and thread-safe.</summary>
internal static class StoreNames
{
    /// <summary>Refuses what Windows cannot hold.</summary>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.InvalidModelName"/>.</exception>
    public static void RequireHoldable(ModelName name, bool isWindows)
    {
        if (!isWindows)
        {
            return;
        }

        foreach (string part in PartsOf(name))
        {
            if (WindowsName.ProblemOf(part) is { } problem)
            {
                string advice = part == name.Host ? " Name the model by another host, without a port, and give the registry's address by -Registry." : string.Empty;
                throw Invalid(name, $"Windows cannot hold '{part}' as a name of a file or folder, so no store there can keep '{name.Shortest}': {problem}.{advice}");
            }
        }
    }

    /// <summary>Refuses a name that the store has in other letters, where the file system takes the one for the other: its
    /// manifest would take the place of that one's.</summary>
    /// <param name="manifests">The folder of the manifests.</param>
    /// <param name="name">The name.</param>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.InvalidModelName"/>.</exception>
    public static void RequireOneSpelling(string manifests, ModelName name)
    {
        string folder = manifests;
        foreach (string part in PartsOf(name))
        {
            string path = Path.Combine(folder, part);
            if (!Directory.Exists(path) && !File.Exists(path))
            {
                return;
            }

            // A file system that tells case apart has found the very name.
            if (WindowsName.OtherCase(part, Directory.EnumerateFileSystemEntries(folder).Select(entry => Path.GetFileName(entry)!)) is { } other)
            {
                throw Invalid(name, $"The store has '{other}' where '{part}' of '{name.Shortest}' belongs, and its file system takes the one for the other. Name the model in the letters that the store has.");
            }

            folder = path;
        }
    }

    /// <summary>A name that the store has and that differs in the case of its letters alone; <see langword="null"/> where there is
    /// none.</summary>
    /// <param name="manifests">The folder of the manifests.</param>
    /// <param name="name">The name.</param>
    public static ModelName? FindOtherCase(string manifests, ModelName name)
    {
        string[] parts = PartsOf(name);
        IEnumerable<string> paths = Enumerable.Repeat(manifests, Directory.Exists(manifests) ? 1 : 0);
        for (int level = 0; level < parts.Length; level++)
        {
            string part = parts[level];
            bool isLast = level == parts.Length - 1;

            // Windows finds an entry in whatever letters, and gives it in its own.
            string pattern = Path.DirectorySeparatorChar == '\\' ? part : "*";
            paths = paths
                .SelectMany(folder => isLast ? Directory.EnumerateFiles(folder, pattern) : Directory.EnumerateDirectories(folder, pattern))
                .Where(entry => string.Equals(Path.GetFileName(entry), part, StringComparison.OrdinalIgnoreCase));
        }

        return paths.OrderBy(path => path, StringComparer.Ordinal).FirstOrDefault() is { } path ? Spelt(name, path.Substring(manifests.Length + 1).Split(Path.DirectorySeparatorChar)) : null;
    }

    private static ModelName Spelt(ModelName name, string[] parts) => ModelName.Parse($"{name.Scheme}://{parts[0]}/{parts[1]}/{parts[2]}:{parts[3]}");

    private static string[] PartsOf(ModelName name) => [name.Host, name.Namespace, name.Model, name.Tag];

    private static ModelFaultException Invalid(ModelName name, string message) =>
        new(ModelFault.InvalidModelName, message, new FaultFacts { Name = name.Shortest });
}
