using PSModel.Core.Faults;
using PSModel.Core.Names;

namespace PSModel.Core.Store;

/// <summary>Refuses names that a store's file system cannot hold, or takes for others. Stateless and thread-safe.</summary>
internal static class StoreNames
{
    /// <summary>Refuses what Windows cannot hold.</summary>
    /// <param name="name">The name.</param>
    /// <param name="parts">The parts of its path.</param>
    /// <param name="isWindows">Whether it is Windows.</param>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.InvalidModelName"/>.</exception>
    public static void RequireHoldable(ModelName name, string[] parts, bool isWindows)
    {
        foreach (string part in isWindows ? parts : [])
        {
            if (WindowsName.ProblemOf(part) is { } problem)
            {
                throw Invalid(name, $"Windows cannot hold '{part}' as a name of a file or folder, so no store there can keep '{name.Shortest}': {problem}.");
            }
        }
    }

    /// <summary>Refuses a name that the store has in other letters, where the file system takes the one for the other: its
    /// manifest would take the place of that one's.</summary>
    /// <param name="name">The name.</param>
    /// <param name="folder">The folder of the manifests.</param>
    /// <param name="parts">The parts of the path below it.</param>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.InvalidModelName"/>.</exception>
    public static void RequireOneSpelling(ModelName name, string folder, string[] parts)
    {
        foreach (string part in parts)
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

    /// <summary>The paths of files that differ from a path in the case of letters alone, or on Windows not at all, in the order of
    /// their letters.</summary>
    /// <param name="folder">The folder of the manifests.</param>
    /// <param name="parts">The parts of the path below it.</param>
    public static IEnumerable<string> FindOtherCase(string folder, string[] parts)
    {
        IEnumerable<string> paths = Enumerable.Repeat(folder, Directory.Exists(folder) ? 1 : 0);
        for (int level = 0; level < parts.Length; level++)
        {
            string part = parts[level];
            bool isLast = level == parts.Length - 1;

            // Windows finds an entry in whatever letters, and gives it in its own.
            string pattern = Path.DirectorySeparatorChar == '\\' ? part : "*";
            paths = paths
                .SelectMany(at => isLast ? FolderEntries.Files(at, pattern) : FolderEntries.Folders(at, pattern))
                .Where(entry => string.Equals(Path.GetFileName(entry), part, StringComparison.OrdinalIgnoreCase));
        }

        return paths.OrderBy(path => path, StringComparer.Ordinal);
    }

    private static ModelFaultException Invalid(ModelName name, string message) =>
        new(ModelFault.InvalidModelName, message, new FaultFacts { Name = name.Shortest });
}
