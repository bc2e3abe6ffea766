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

    /// <summary>Where a single byte may matter: three digits and a unit, and all digits behind them where those are more.</summary>
    public static string Exact(long bytes) => bytes < 1000 ? Of(bytes) : $"{Of(bytes)} ({Digits(bytes)} bytes)";

    /// <summary>All digits of a count or an offset, in groups.</summary>
    public static string Digits(long bytes) => bytes.ToString("#,0", CultureInfo.CurrentCulture);
}
