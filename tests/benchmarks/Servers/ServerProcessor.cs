using System.Globalization;

namespace PSModel.Benchmarks.Servers;

/// <summary>The processor time of a server and of its workers, from <c>/proc</c>.</summary>
internal static class ServerProcessor
{
    /// <summary>Linux tells processor time in these, whatever its own clock is.</summary>
    private const double TicksPerSecond = 100;

    // Fields after the command's name, which is in parentheses and may have spaces: state, ppid, and so on.
    private const int Parent = 1;
    private const int UserTime = 11;
    private const int SystemTime = 12;

    /// <summary>Seconds of the process and its children so far.</summary>
    public static double Seconds(int process)
    {
        double ticks = 0;
        foreach (string folder in Directory.EnumerateDirectories("/proc").Where(folder => char.IsAsciiDigit(Path.GetFileName(folder)[0])))
        {
            if (Read(folder) is { } fields && (Path.GetFileName(folder) == Text(process) || fields[Parent] == Text(process)))
            {
                ticks += double.Parse(fields[UserTime], CultureInfo.InvariantCulture) + double.Parse(fields[SystemTime], CultureInfo.InvariantCulture);
            }
        }

        return ticks / TicksPerSecond;
    }

    private static string[]? Read(string folder)
    {
        try
        {
            string stat = File.ReadAllText(Path.Combine(folder, "stat"));
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            // It has ended in the meantime.
            return null;
        }
    }

    private static string Text(int process) => process.ToString(CultureInfo.InvariantCulture);
}
