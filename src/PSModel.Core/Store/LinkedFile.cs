using System.Runtime.InteropServices;
using PSModel.Core.Faults;
using PSModel.Core.Names;

namespace PSModel.Core.Store;

/// <summary>
/// A blob's file that shares its bytes with one elsewhere on the volume: a copy that the file system makes on the first write to either,
/// or, where it cannot, a second name. It is not written, and lies in the work folder under a name that nothing else opens: what is
/// written to a second name is written to the first. For one thread at a time.
/// </summary>
internal sealed class LinkedFile : ICommitFile
{
    private const string Extension = ".link";

    private readonly ModelStore _store;
    private readonly BlobDigest _digest;
    private readonly FileStream _file;
    private readonly FileFacts? _identity;

    private LinkedFile(ModelStore store, BlobDigest digest, FileStream file)
    {
        _store = store;
        _digest = digest;
        _file = file;
        _identity = FileFacts.TryRead(file.SafeFileHandle);
    }

    /// <inheritdoc/>
    public string FilePath => PathOf(_store, _digest);

    /// <inheritdoc/>
    public long Length => _file.Length;

    /// <inheritdoc/>
    /// <remarks>Its bytes may have been written before any file was opened here.</remarks>
    public long Opened => long.MaxValue;

    private static bool IsWindows { get; } = RuntimeInformation.IsOSPlatform(OSPlatform.Windows);

    /// <summary>Links a file into the work folder.</summary>
    /// <param name="store">The store.</param>
    /// <param name="digest">The blob that it should be.</param>
    /// <param name="source">The file, which is no link.</param>
    /// <param name="why">Why it could not be linked, where it could not.</param>
    /// <exception cref="IOException">The work folder cannot be written.</exception>
    public static LinkedFile? TryCreate(ModelStore store, BlobDigest digest, string source, out string? why)
    {
        store.CreateWork();
        string path = PathOf(store, digest);
        DurableFile.Delete(path);
        try
        {
            why = null;
            return TryClone(store, digest, source, path) ?? Link(store, digest, source, path);
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            why = e.Message;
            TryDelete(path);
            return null;
        }
    }

    private static void TryDelete(string path)
    {
        try
        {
            DurableFile.Delete(path);
        }
        catch (HeldFileException)
        {
            // On Windows who holds the source holds its second name as well. The next call removes that.
        }
    }

    /// <summary>Removes what was linked, or what an earlier call left of it.</summary>
    public static void Delete(ModelStore store, BlobDigest digest) => DurableFile.Delete(PathOf(store, digest));

    /// <inheritdoc/>
    public void FlushToDisk() => DurableFile.Flush(_file);

    /// <inheritdoc/>
    public bool TryFlushVolume() => false;

    /// <inheritdoc/>
    public void BeginFlush() => DurableFile.BeginFlush(_file);

    /// <inheritdoc/>
    public void RequireOwn()
    {
        FileFacts? named = FileFacts.TryReadEntry(FilePath);
        bool isOwn = _identity is not { } opened || (named is { IsFile: true } now && now.IsSame(opened) && now.Size == opened.Size && now.Written == opened.Written);
        if (!isOwn)
        {
            throw new ModelFaultException(
                ModelFault.BlobInUse,
                $"Another program changed the source's file of {_digest} while it was read, so it is not committed. Run the same command again, and no other one that writes there.",
                new FaultFacts { Digest = _digest.ToString(), Path = FilePath });
        }
    }

    /// <inheritdoc/>
    public void Rename()
    {
        string final = _store.BlobPath(_digest);
        DurableFile.CreateFolder(_store, Path.GetDirectoryName(final)!);

        // Ollama, and whoever else frees what no manifest names, spares what was written to lately, and the manifest is still to come.
        // The source's file has that time as well; one that was found wrong keeps its own.
        File.SetLastWriteTimeUtc(FilePath, DateTime.UtcNow);
        _file.Dispose();
        DurableFile.Rename(FilePath, final);
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static string PathOf(ModelStore store, BlobDigest digest) => Path.Combine(store.Work, digest.FileName + Extension);

    private static LinkedFile? TryClone(ModelStore store, BlobDigest digest, string source, string path)
    {
        if (!RuntimeInformation.IsOSPlatform(OSPlatform.Linux))
        {
            return null;
        }

        FileStream clone = WorkFile.Create(store, path);
        using (FileStream original = OpenToRead(source))
        {
            if (UnixFile.TryClone(original.SafeFileHandle, clone.SafeFileHandle))
            {
                return new LinkedFile(store, digest, clone);
            }
        }

        clone.Dispose();
        DurableFile.Delete(path);
        return null;
    }

    private static LinkedFile Link(ModelStore store, BlobDigest digest, string source, string path)
    {
        if (store.Owner is not null)
        {
            throw new IOException("A second name cannot be given to the store's owner.");
        }

        DurableFile.Link(source, path);

        // It gets another time once it is known to be right, which its owner alone may give it: who may not is to know before it is read.
        File.SetLastWriteTimeUtc(path, File.GetLastWriteTimeUtc(path));

        // Windows flushes no file that is open to be read alone.
        return new LinkedFile(store, digest, IsWindows ? new FileStream(path, FileMode.Open, FileAccess.ReadWrite, Everybody) : OpenToRead(path));
    }

    private static FileShare Everybody => FileShare.ReadWrite | FileShare.Delete;

    private static FileStream OpenToRead(string path) => new(path, FileMode.Open, FileAccess.Read, Everybody, bufferSize: 1);
}
