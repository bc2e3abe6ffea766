using System.Runtime.InteropServices;

namespace PSModel.Core.Store;

/// <summary><c>struct flock</c> of 64-bit Linux' <c>fcntl.h</c>, and the call that takes it.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FlockRequest
{
    /// <summary><c>F_OFD_SETLK</c>: a lock of the open file, not of the process, taken now or not at all.</summary>
    private const int SetOfOpenFile = 37;

    /// <summary><c>F_WRLCK</c>.</summary>
    private const short Exclusive = 1;

    /// <summary><c>EINTR</c>, <c>EINVAL</c>, <c>ENOSYS</c> and <c>EOPNOTSUPP</c> of <c>errno.h</c>.</summary>
    private const int Interrupted = 4;
    private const int Invalid = 22;
    private const int NoSuchCall = 38;
    private const int NotSupported = 95;

    private short _type;
    private short _whence;
    private long _start;
    private long _length;
    private int _process;

    /// <summary>Takes a lock on one byte of a file, for as long as it is open here.</summary>
    /// <returns>0, or why it was not taken; <see cref="UnixFile.WouldBlock"/> where somebody else has it.</returns>
    public static int LockByte(int descriptor, long position)
    {
        FlockRequest wanted = new() { _type = Exclusive, _whence = 0, _start = position, _length = 1, _process = 0 };
        int error;
        do
        {
            error = Control(descriptor, SetOfOpenFile, ref wanted) >= 0 ? 0 : Marshal.GetLastWin32Error();
        }
        while (error == Interrupted);
        return error;
    }

    /// <summary>Whether an errno says that the system has no such locks. Others may come and go.</summary>
    public static bool IsUnknown(int error) => error is Invalid or NoSuchCall or NotSupported;

    [DllImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Control(int descriptor, int command, ref FlockRequest request);
}
