namespace PSModel.Core.Names;

/// <summary>What Windows cannot hold as the name of a file or a folder. Says so on every system. Stateless and thread-safe.</summary>
internal static class WindowsName
{
    private static readonly string[] Devices = ["con", "prn", "aux", "nul", "conin$", "conout$"];

    private static readonly string[] NumberedDevices = ["com", "lpt"];

    /// <summary>Says what is wrong with a part of a path; <see langword="null"/> where nothing is.</summary>
    public static string? ProblemOf(string part) =>
        part.Any(c => c == ':') ? "it has a colon"
        : part.Length > 0 && part[part.Length - 1] is '.' or ' ' ? "it ends in a dot or a space, which Windows leaves out"
        : IsDevice(part) ? "it is the name of a device"
        : null;

    /// <summary>The entry of a folder that Windows takes for a name although it is written in other letters.</summary>
    /// <param name="part">The name.</param>
    /// <param name="entries">The names in the folder.</param>
    public static string? OtherCase(string part, IEnumerable<string> entries)
    {
        string? other = null;
        foreach (string entry in entries)
        {
            if (entry == part)
            {
                return null;
            }

            other = string.Equals(entry, part, StringComparison.OrdinalIgnoreCase) ? entry : other;
        }

        return other;
    }

    /// <summary>With an extension, or with blanks before it, it is the device as well.</summary>
    private static bool IsDevice(string part)
    {
        string stem = part.Split('.')[0].TrimEnd(' ').ToLowerInvariant();
        return Devices.Contains(stem)
            || (stem.Length == 4 && NumberedDevices.Contains(stem.Substring(0, 3)) && (char.IsDigit(stem[3]) || stem[3] is '¹' or '²' or '³'));
    }
}
