using System.Diagnostics.CodeAnalysis;
using System.Management.Automation;
using System.Text.RegularExpressions;

namespace PSModel.Commands;

/// <summary>Turns PowerShell's paths into those of the file system.</summary>
internal static class FilePath
{
    /// <summary>The name of the provider of files.</summary>
    public const string FileSystem = "FileSystem";

    /// <summary>Whether a text reads as paths do: from a root, the location, home, a drive or a provider. What follows a registry's colon is a
    /// port, and a scheme has two slashes.</summary>
    public static bool Reads([NotNullWhen(true)] string? text) => text is not null && Regex.IsMatch(text, @"^[./~]|\\|^\w+:(/(?!/)|:|$)");

    /// <summary>The file system's own path of a path of PowerShell's. It need not exist.</summary>
    /// <param name="paths">The session's location and drives.</param>
    /// <param name="path">The path, taken as it is written.</param>
    /// <param name="resolved">The absolute path.</param>
    /// <param name="why">Else what is wrong with it.</param>
    public static bool TryResolve(PathIntrinsics paths, string path, [NotNullWhen(true)] out string? resolved, [NotNullWhen(false)] out string? why)
    {
        resolved = null;
        why = null;
        try
        {
            // What the file system takes no path with would come back as an exception of whoever uses it first.
            if (path.IndexOf('\0') >= 0)
            {
                why = "it holds a null character.";
                return false;
            }

            string found = paths.GetUnresolvedProviderPathFromPSPath(path, out ProviderInfo provider, out _);
            if (provider.Name == FileSystem)
            {
                resolved = found;
            }
            else
            {
                why = $"it belongs to the provider {provider.Name}.";
            }
        }
        catch (Exception e) when (e is System.Management.Automation.DriveNotFoundException or ProviderNotFoundException or ProviderInvocationException or NotSupportedException or ArgumentException)
        {
            why = e.Message;
        }

        return why is null;
    }
}
