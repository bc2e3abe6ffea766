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

    /// <summary><c>EINVAL</c> of Linux and macOS, which .NET gives as it is.</summary>
    private const int InvalidArgument = 22;

    /// <summary><c>ERROR_INVALID_PARAMETER</c> as an HRESULT.</summary>
    private const int InvalidParameter = unchecked((int)0x80070057);

    private readonly string _path = path;

    public override void Read(long offset, ReadBuffer buffer)
    {
        try
        {
            base.Read(offset, buffer);
        }
        catch (IOException e) when (e.HResult is InvalidArgument or InvalidParameter)
        {
            // Some file systems take the flag and refuse the reads.
            throw NotSupported(_path, e);
        }
    }

    private static FileStream OpenUnbuffered(string path)
    {
        if (RuntimeInformation.IsOSPlatform(OSPlatform.Windows))
        {
            return OpenStream(path, NoBuffering);
        }
#if NET
        return RuntimeInformation.IsOSPlatform(OSPlatform.OSX) ? OpenUncached(path) : OpenDirect(path);
#else
        // The build for .NET Framework, which other systems run for tests alone, cannot make a stream of a descriptor there.
        throw NotSupported(path, null);
#endif
    }

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
    private static int Direct => RuntimeInformation.ProcessArchitecture is Architecture.Arm or Architecture.Arm64 ? 0x10000 : 0x4000;

    private static FileStream OpenUncached(string path)
    {
        FileStream file = OpenStream(path, FileOptions.None);

        // The argument is a variadic one: Apple's Arm processors take it from the stack, past the eight registers.
        _ = Control((int)file.SafeFileHandle.DangerousGetHandle(), NoCache, 1, 0, 0, 0, 0, 0, 1);
        return file;
    }

    private static FileStream OpenDirect(string path)
    {
        int descriptor = Open(Encoding.UTF8.GetBytes(path + '\0'), Direct | CloseOnExec);
        int error = Marshal.GetLastWin32Error();
        if (descriptor < 0 && error == InvalidArgument)
        {
            throw NotSupported(path, null);
        }

        if (descriptor < 0)
        {
            // .NET's own way to open it knows the right exception; or else the file can be opened after all.
            OpenStream(path, FileOptions.None).Dispose();
            throw new IOException($"'{path}' cannot be opened past the cache (errno {error}).", error);
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
