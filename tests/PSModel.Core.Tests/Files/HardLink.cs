using System.Runtime.InteropServices;

namespace PSModel.Core.Tests.Files;

/// <summary>Gives a file a second name, for which .NET has no call.</summary>
internal static class HardLink
{
    public static void Make(string path, string target)
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.True(Create(path, target, IntPtr.Zero), new System.ComponentModel.Win32Exception().Message);
        }
        else
        {
            Unix.Run("ln", target, path);
        }
    }

    [DllImport("kernel32", EntryPoint = "CreateHardLinkW", CharSet = CharSet.Unicode, ExactSpelling = true, SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static extern bool Create(string path, string target, IntPtr security);
}
