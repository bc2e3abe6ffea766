using System.Globalization;

namespace PSModel.Core.Faults;

/// <summary>Byte counts as people read them. Stateless and thread-safe.</summary>
public static class ByteText
{
    private static readonly string[] Units = ["B", "KB", "MB", "GB", "TB"];

    /// <summary>Three digits and a unit, in powers of 1024 as PowerShell's own <c>KB</c> and <c>MB</c>.</summary>
    public static string Of(double bytes)
    {
        int unit = 0;
        while (bytes >= 1000 && unit < Units.Length - 1)
        {
            bytes /= 1024;
            unit++;
        }

        string format = unit == 0 || bytes >= 100 ? "0" : bytes >= 10 ? "0.0" : "0.00";
        return $"{bytes.ToString(format, CultureInfo.CurrentCulture)} {Units[unit]}";
    }

    /// <summary>Where a single byte may matter: three digits and a unit, and all digits behind them.</summary>
    public static string Exact(long bytes) => $"{Of(bytes)} ({bytes.ToString("#,0", CultureInfo.CurrentCulture)} bytes)";
}
