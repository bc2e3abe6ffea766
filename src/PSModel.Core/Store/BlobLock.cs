using PSModel.Core.Names;

namespace PSModel.Core.Store;

/// <summary>
/// The right to fetch one blob into one store, held by one transfer on the machine at a time. It is a lock of the
/// operating system on an open file, so it ends with its process, however that ends.
/// </summary>
internal sealed class BlobLock : IDisposable
{
    private readonly FileStream _file;

    private BlobLock(FileStream file) => _file = file;

    /// <summary>Takes the lock if it is free.</summary>
    public static BlobLock? TryAcquire(ModelStore store, BlobDigest digest)
    {
        string path = Path.Combine(store.Work, $"{digest.FileName}.lock");
        DurableFile.CreateFolder(store.Work);
        FileStream? file = TryOpen(path, FileMode.OpenOrCreate);
        if (file is null)
        {
            return null;
        }

        if (IsStillInPlace(path))
        {
            return new BlobLock(file);
        }

        file.Dispose();
        return null;
    }

    public void Dispose() => _file.Dispose();

    /// <summary>The owner before us deletes the file as it lets go; what we locked may be that file, which no third process
    /// would find. A second opening of the path fails where it leads to the file that we hold.</summary>
    private static bool IsStillInPlace(string path)
    {
        try
        {
            using FileStream? other = TryOpen(path, FileMode.Open);
            return other is null;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
    }

    private static FileStream? TryOpen(string path, FileMode mode)
    {
        try
        {
            FileOptions options = mode == FileMode.Open ? FileOptions.None : FileOptions.DeleteOnClose;
            return new FileStream(path, mode, FileAccess.ReadWrite, FileShare.None, bufferSize: 1, options);
        }
        catch (IOException e) when (e is not (FileNotFoundException or DirectoryNotFoundException or PathTooLongException))
        {
            return null;
        }
    }
}
