namespace PSModel.Core.Store;

/// <summary>What is in a folder that may be gone by now: Ollama removes folders that it has emptied. Stateless and thread-safe.</summary>
internal static class FolderEntries
{
    /// <summary>The paths of the folders in it; none where it is gone.</summary>
    public static IEnumerable<string> Folders(string path, string pattern = "*") => Read(() => Directory.GetDirectories(path, pattern));

    /// <summary>The paths of the files in it; none where it is gone.</summary>
    public static IEnumerable<string> Files(string path, string pattern = "*") => Read(() => Directory.GetFiles(path, pattern));

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
