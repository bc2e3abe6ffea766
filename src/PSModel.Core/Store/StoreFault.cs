using PSModel.Core.Faults;

namespace PSModel.Core.Store;

/// <summary>Makes a fault of what a file system says.</summary>
internal static class StoreFault
{
    /// <summary><c>EROFS</c> of Linux and macOS, as .NET hands it on.</summary>
    private const int ReadOnlyFileSystem = 30;

    /// <summary><c>ERROR_WRITE_PROTECT</c> of Windows.</summary>
    private const int WriteProtected = unchecked((int)0x80070013);

    /// <summary>Runs a step that writes to the store, and names what failed if it does.</summary>
    /// <param name="store">The store.</param>
    /// <param name="path">What is written.</param>
    /// <param name="step">The step.</param>
    /// <param name="what">What the folder is to a user.</param>
    public static void Guard(ModelStore store, string path, Action step, string what = "store")
    {
        try
        {
            step();
        }
        catch (Exception e) when (IsOfStore(e))
        {
            throw From(store, path, e, what);
        }
    }

    /// <summary>Whether a file system can be the reason. A file too long for it is an argument out of range to .NET.</summary>
    public static bool IsOfStore(Exception e) => e is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException;

    public static ModelFaultException From(ModelStore store, string path, Exception e, string what = "store")
    {
        path = (e as HeldFileException)?.Path ?? path;
        FaultFacts facts = new() { Path = path };
        return e switch
        {
            UnauthorizedAccessException =>
                new ModelFaultException(ModelFault.StoreNotWritable, $"The {what} '{store.Root}' cannot be written: {e.Message}", facts, e),
            IOException when e.HResult is ReadOnlyFileSystem or WriteProtected =>
                new ModelFaultException(ModelFault.StoreNotWritable, $"The {what} '{store.Root}' cannot be written: {e.Message}", facts, e),
            IOException when HeldFile.IsReason(e) =>
                HeldFile.Fault($"'{path}'", e, facts),
            IOException when !Directory.Exists(store.Work) =>
                new ModelFaultException(ModelFault.StoreNotWritable, $"The {what} '{store.Root}' cannot be {(Directory.Exists(store.Root) ? "written" : "created")}: {e.Message}", facts, e),
            _ => new ModelFaultException(ModelFault.StoreWriteFailed, $"Writing '{path}' failed: {e.Message}", facts, e),
        };
    }
}
