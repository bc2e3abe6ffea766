using System.Globalization;

namespace PSModel.Pipeline;

/// <summary>Byte counts as people read them.</summary>
internal static class ByteText
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
}
