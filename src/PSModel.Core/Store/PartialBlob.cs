using PSModel.Core.Faults;
using PSModel.Core.Names;

namespace PSModel.Core.Store;

/// <summary>
/// The file of a blob underway. It is opened for writing alone and grows from front to back. <see cref="Append"/> is for
/// one thread at a time; <see cref="FlushToDisk"/> may run beside it.
/// </summary>
internal sealed class PartialBlob : ICommitFile
{
    private readonly ModelStore _store;
    private readonly BlobDigest _digest;
    private static long _count;

    private readonly FileStream _file;
    private readonly FileFacts? _identity;

    /// <inheritdoc/>
    public long Opened { get; }

    /// <summary>Opens the file and cuts off what lies past <paramref name="kept"/> bytes.</summary>
    public PartialBlob(ModelStore store, BlobDigest digest, long kept)
    {
        _store = store;
        _digest = digest;
        store.CreateWork();
        _file = WorkFile.OpenKept(store, PathOf(store, digest), kept);

        _identity = FileFacts.TryRead(_file.SafeFileHandle);

        // Counted afterwards, so that the file with the least number was open before a byte of any other was written.
        Opened = Interlocked.Increment(ref _count);
    }

    /// <summary>Opens the file as the constructor does.</summary>
    /// <exception cref="Faults.ModelFaultException">The store cannot be written.</exception>
    public static PartialBlob OpenGuarded(ModelStore store, BlobDigest digest, long kept)
    {
        PartialBlob? file = null;
        StoreFault.Guard(store, PathOf(store, digest), () => file = new PartialBlob(store, digest, kept));
        return file!;
    }

    /// <inheritdoc/>
    public string FilePath => PathOf(_store, _digest);

    /// <summary>The length of what an earlier call left, in bytes; 0 where it left nothing.</summary>
    public static long LengthOf(ModelStore store, BlobDigest digest) => WorkFile.LengthOf(PathOf(store, digest));

    /// <summary>Opens what a call left, for reading; <see langword="null"/> where that is nothing that can be trusted.</summary>
    public static FileStream? TryOpenToRead(ModelStore store, BlobDigest digest) => WorkFile.TryOpenToRead(PathOf(store, digest));

    public static void Delete(ModelStore store, BlobDigest digest) => DurableFile.Delete(PathOf(store, digest));

    /// <inheritdoc/>
    public long Length => _file.Length;

    public void Append(byte[] buffer, int offset, int count) => _file.Write(buffer, offset, count);

    /// <inheritdoc/>
    public void FlushToDisk() => DurableFile.Flush(_file);

    /// <inheritdoc/>
    public bool TryFlushVolume() => VolumeFlush.TryRun(_file);

    /// <inheritdoc/>
    public void BeginFlush() => DurableFile.BeginFlush(_file);

    /// <inheritdoc/>
    public void Rename()
    {
        string final = _store.BlobPath(_digest);
        _file.Dispose();
        try
        {
            DurableFile.Rename(FilePath, final);
        }
        catch (FileNotFoundException)
        {
            // The first blob of a store makes the folder, or another thread has by now.
            DurableFile.CreateFolder(_store, _store.Blobs);
            DurableFile.Rename(FilePath, final);
        }
    }

    /// <inheritdoc/>
    /// <remarks>A name can be given to another file while one is open, except on Windows.</remarks>
    public void RequireOwn()
    {
        if (_identity is { } opened && !(FileFacts.TryReadEntry(FilePath) is { IsOwn: true } named && named.IsSame(opened)))
        {
            throw new ModelFaultException(
                ModelFault.BlobInUse,
                $"Another program replaced '{FilePath}' while it was written, so {_digest} is not committed. Run the same command again, and no other one that writes there.",
                new FaultFacts { Digest = _digest.ToString(), Path = FilePath });
        }
    }

    public void Dispose() => _file.Dispose();

    private static string PathOf(ModelStore store, BlobDigest digest) => Path.Combine(store.Work, $"{digest.FileName}.partial");
}
