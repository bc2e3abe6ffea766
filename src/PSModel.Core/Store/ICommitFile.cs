namespace PSModel.Core.Store;

/// <summary>A blob's file before it has its final name. For one thread at a time.</summary>
internal interface ICommitFile : IDisposable
{
    /// <summary>Where it lies.</summary>
    string FilePath { get; }

    /// <summary>Its length as the file system tells it, in bytes; nothing is read for it.</summary>
    long Length { get; }

    /// <summary>Tells which of two files was opened first: the lesser one.</summary>
    long Opened { get; }

    /// <summary>Returns when everything that was written to it is on the disk.</summary>
    /// <exception cref="IOException">What was written since the last flush may be lost, whatever a later one says.</exception>
    void FlushToDisk();

    /// <summary>Flushes everything on the file's volume, this file and all that were opened after it included.</summary>
    /// <returns>Whether that succeeded; if not, each file has to be flushed for itself, and will tell.</returns>
    bool TryFlushVolume();

    /// <summary>Lets the disk begin with what was written, where the system can be asked for that; waits for nothing.</summary>
    void BeginFlush();

    /// <summary>Sees that what will be renamed is what was written, or read.</summary>
    /// <exception cref="Faults.ModelFaultException"><see cref="Faults.ModelFault.BlobInUse"/> where it is not.</exception>
    void RequireOwn();

    /// <summary>Closes the file and gives it its final name, which is durable once its folder is synced. The caller has flushed
    /// and verified it, and seen that it is the one of that name.</summary>
    void Rename();
}
