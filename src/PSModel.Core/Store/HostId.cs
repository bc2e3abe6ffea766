using System.Text;
using PSModel.Core.Hashing;

namespace PSModel.Core.Store;

/// <summary>
/// Names this machine, from its start to its end: the processes that see each other's locks, whatever the file system does. Those
/// in containers of one machine have one name. Thread-safe.
/// </summary>
internal static class HostId
{
    /// <summary>Drawn by Linux at each start; <c>random(4)</c>.</summary>
    private const string BootFile = "/proc/sys/kernel/random/boot_id";

    private static readonly Lazy<string> Known = new(Find);

    /// <summary>The name, fit for a folder's: 32 hexadecimal digits.</summary>
    public static string Value => Known.Value;

    /// <summary>Whether a folder's name may be that of a machine.</summary>
    public static bool IsOne(string name) => Guid.TryParseExact(name, "N", out _);

    private static string Find()
    {
        try
        {
            return Guid.Parse(File.ReadAllText(BootFile)).ToString("N");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            return new Guid(Sha256.HashOf(Encoding.UTF8.GetBytes(Environment.MachineName)).AsSpan(0, 16).ToArray()).ToString("N");
        }
    }
}
