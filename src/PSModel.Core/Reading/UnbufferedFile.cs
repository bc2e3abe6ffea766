using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using PSModel.Core.Faults;

namespace PSModel.Core.Reading;

/// <summary>Reads past the operating system's cache: <c>O_DIRECT</c> on Linux, <c>F_NOCACHE</c> on macOS,
/// <c>FILE_FLAG_NO_BUFFERING</c> on Windows.</summary>
internal sealed class UnbufferedFile(string path) : StreamFile(OpenUnbuffered(path))
{
    /// <summary><c>FILE_FLAG_NO_BUFFERING</c> of <c>winbase.h</c>, which .NET passes on although it has no name for it.</summary>
    private const FileOptions NoBuffering = (FileOptions)0x20000000;

    /// <summary><c>EINVAL</c> and <c>EOPNOTSUPP</c> of Linux, which .NET gives as they are.</summary>
    private static readonly int[] Refusals = [22, 95];

    /// <summary><c>ERROR_INVALID_PARAMETER</c> as an HRESULT.</summary>
    private const int InvalidParameter = unchecked((int)0x80070057);

    private readonly string _path = path;

    public override void Read(long offset, ReadBuffer buffer)
    {
        try
        {
            base.Read(offset, buffer);
        }
        catch (IOException e) when (IsRefusal(e))
        {
            // Some file systems take the flag and refuse the reads.
            throw NotSupported(_path, e);
        }
    }

    private static FileStream OpenUnbuffered(string path)
    {
        if (RuntimeInformation.IsOSPlatform(OSPlatform.Windows))
        {
            return OpenWithoutBuffering(path);
        }
#if NET
        return RuntimeInformation.IsOSPlatform(OSPlatform.OSX) ? OpenUncached(path) : OpenDirect(path);
#else
        // The build for .NET Framework, which other systems run for tests alone, cannot make a stream of a descriptor there.
        throw NotSupported(path, null);
#endif
    }

    private static FileStream OpenWithoutBuffering(string path)
    {
        try
        {
            return OpenStream(path, NoBuffering);
        }
        catch (IOException e) when (IsRefusal(e))
        {
            throw NotSupported(path, e);
        }
    }

    private static bool IsRefusal(IOException e) => e.HResult == InvalidParameter || Refusals.Contains(e.HResult);

    private static ModelFaultException NotSupported(string path, Exception? inner) => new(
        ModelFault.ReadModeNotSupported,
        $"The file system of '{path}' does not let files be read past the cache.",
        new FaultFacts { Path = path },
        inner);

#if NET
    /// <summary><c>O_CLOEXEC</c> of Linux.</summary>
    private const int CloseOnExec = 0x80000;

    /// <summary><c>F_NOCACHE</c> of macOS' <c>fcntl.h</c>.</summary>
    private const int NoCache = 48;

    /// <summary><c>O_DIRECT</c> of Linux' <c>fcntl.h</c>, which differs between processors.</summary>
    private static int Direct => IsArm ? 0x10000 : 0x4000;

    /// <summary><c>O_LARGEFILE</c> of Linux, without which 32-bit programs open nothing beyond 2 GiB.</summary>
    private static int LargeFile => IntPtr.Size == sizeof(long) ? 0 : IsArm ? 0x20000 : 0x8000;

    private static bool IsArm => RuntimeInformation.ProcessArchitecture is Architecture.Arm or Architecture.Arm64;

    private static FileStream OpenUncached(string path)
    {
        FileStream file = OpenStream(path, FileOptions.None);

        // The argument is a variadic one: Apple's Arm processors take it from the stack, past the eight registers.
        if (Control((int)file.SafeFileHandle.DangerousGetHandle(), NoCache, 1, 0, 0, 0, 0, 0, 1) >= 0)
        {
            return file;
        }

        file.Dispose();
        throw NotSupported(path, null);
    }

    private static FileStream OpenDirect(string path)
    {
        int descriptor = Open(Encoding.UTF8.GetBytes(path + '\0'), Direct | LargeFile | CloseOnExec);
        if (descriptor < 0)
        {
            // .NET's own way to open it knows the right exception; or else the file can be opened after all, in other ways.
            OpenStream(path, FileOptions.None).Dispose();
            throw NotSupported(path, null);
        }

        return new FileStream(new SafeFileHandle((IntPtr)descriptor, ownsHandle: true), FileAccess.Read, bufferSize: 1, isAsync: false);
    }

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Open(byte[] path, int flags);

    [DllImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Control(int descriptor, int command, nint inRegister, nint r3, nint r4, nint r5, nint r6, nint r7, nint onStack);
#endif
}
