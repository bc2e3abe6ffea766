namespace PSModel.Core.Store;

/// <summary>What is in a folder that may be gone by now: Ollama removes folders that it has emptied. Stateless and thread-safe.</summary>
internal static class FolderEntries
{
    /// <summary>The paths of the folders in it; none where it is gone.</summary>
    public static IEnumerable<string> Folders(string path, string pattern = "*") => Read(() => Directory.GetDirectories(path, pattern));

    /// <summary>The paths of the files in it; none where it is gone.</summary>
    public static IEnumerable<string> Files(string path, string pattern = "*") => Read(() => Directory.GetFiles(path, pattern));

    /// <summary>The paths of the files and folders in it; none where it is gone.</summary>
    public static IEnumerable<string> All(string path) => Read(() => Directory.GetFileSystemEntries(path));

    /// <summary>Removes a folder that is empty, and no link to one.</summary>
    /// <returns>Whether it is gone.</returns>
    public static bool TryRemove(string path)
    {
        try
        {
            if (FileFacts.TryReadEntry(path) is not { IsFolder: true, IsLink: false } || Directory.EnumerateFileSystemEntries(path).Any())
            {
                return false;
            }

            Directory.Delete(path);
            return true;
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            // Another program has put something there just now, or the folder is not this user's.
            return false;
        }
    }

    private static string[] Read(Func<string[]> read)
    {
        try
        {
            return read();
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
    }
}
