using System.Runtime.InteropServices;
using PSModel.Core.Faults;

namespace PSModel.Core.Store;

/// <summary>
/// A file that another program holds is mostly let go within moments: virus scanners and indexers look at every new file. So a
/// step with such a file is tried for some seconds, and then fails. Stateless and thread-safe.
/// </summary>
internal static class HeldFile
{
    /// <summary>The pauses between the tries, in milliseconds: 4.1 seconds in all.</summary>
    private static readonly int[] Pauses = [10, 20, 50, 100, 200, 400, 800, 1200, 1300];

    /// <summary><c>ERROR_ACCESS_DENIED</c>, <c>ERROR_SHARING_VIOLATION</c>, <c>ERROR_LOCK_VIOLATION</c> and
    /// <c>ERROR_USER_MAPPED_FILE</c> of <c>winerror.h</c> as HRESULTs.</summary>
    private const int AccessDenied = unchecked((int)0x80070005);

    private const int SharingViolation = unchecked((int)0x80070020);

    private const int LockViolation = unchecked((int)0x80070021);

    private const int UserMapped = unchecked((int)0x800704C8);

    /// <summary><c>EWOULDBLOCK</c> of Linux and of macOS, which .NET gives as they are where a lock is held.</summary>
    private static readonly int[] WouldBlock = [11, 35];

    /// <summary>Whether an exception says that somebody else holds a file.</summary>
    public static bool IsReason(Exception e) =>
        e is HeldFileException || (e is IOException && (e.HResult is SharingViolation or LockViolation or UserMapped || WouldBlock.Contains(e.HResult)));

    /// <summary>The fault of a file that is held still.</summary>
    /// <param name="file">The file as a sentence begins with it.</param>
    /// <param name="e">What the file system says; <see cref="IsReason(Exception)"/> holds of it.</param>
    /// <param name="facts">What is known of it.</param>
    /// <param name="isTransient">Whether the step is worth another try.</param>
    public static ModelFaultException Fault(string file, Exception e, FaultFacts facts, bool isTransient = false) =>
        new(ModelFault.BlobInUse, $"{file} is held by another program: {e.Message}", facts, e) { IsTransient = isTransient };

    /// <summary>Tries a step for as long as somebody holds its file, some seconds at most.</summary>
    /// <param name="path">The file that the step opens, removes, or puts another one in place of.</param>
    /// <param name="step">The step; one that failed has changed nothing.</param>
    /// <exception cref="HeldFileException">It is held still.</exception>
    public static void Try(string path, Action step) => Try(path, step, RuntimeInformation.IsOSPlatform(OSPlatform.Windows), Thread.Sleep);

    /// <summary>Tries a step that opens or reads a file, for as long as somebody holds that, some seconds at most.</summary>
    /// <exception cref="HeldFileException">It is held still.</exception>
    public static T Open<T>(string path, Func<T> open)
    {
        T file = default!;
        Try(path, () => file = open());
        return file;
    }

    /// <summary>Tries a step as one system does it.</summary>
    internal static void Try(string path, Action step, bool isWindows, Action<int> pause)
    {
        for (int tries = 0; ; tries++)
        {
            try
            {
                step();
                return;
            }
            catch (Exception e) when (StoreFault.IsOfStore(e))
            {
                if (!IsReason(e, path, isWindows))
                {
                    throw;
                }

                if (tries == Pauses.Length)
                {
                    throw new HeldFileException(path, e);
                }

                pause(Pauses[tries]);
            }
        }
    }

    /// <summary>Windows denies access to a file that is being removed, and to replace or remove one that is open and whose
    /// opener did not allow that; to one that is marked as read-only, too, and that is no passing matter.</summary>
    private static bool IsReason(Exception e, string path, bool isWindows) =>
        IsReason(e) || (isWindows && e.HResult == AccessDenied && IsThereAndWritable(path));

    private static bool IsThereAndWritable(string path)
    {
        try
        {
            return (File.GetAttributes(path) & (FileAttributes.ReadOnly | FileAttributes.Directory)) == 0;
        }
        catch (UnauthorizedAccessException)
        {
            // Nothing can be asked of a file that is being removed.
            return true;
        }
        catch (Exception e) when (e is IOException or ArgumentException)
        {
            return false;
        }
    }
}
