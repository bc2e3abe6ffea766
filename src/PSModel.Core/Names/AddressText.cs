using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Http;

namespace PSModel.Core.Names;

/// <summary>Reads addresses that anybody may have written. Stateless and thread-safe.</summary>
internal static class AddressText
{
    /// <summary>Reads an absolute address.</summary>
    public static bool TryRead(string? text, [NotNullWhen(true)] out Uri? address)
    {
        try
        {
            return Uri.TryCreate(text, UriKind.Absolute, out address);
        }
        catch (Exception e) when (IsOfReading(e))
        {
            address = null;
            return false;
        }
    }

    /// <summary>Reads where an answer redirects to; <see langword="null"/> where that is nowhere that can be read.</summary>
    public static Uri? TryReadLocation(HttpResponseMessage response, Uri from)
    {
        try
        {
            return response.Headers.Location is { } location && Uri.TryCreate(from, location, out Uri? target) && IsReadable(target) ? target : null;
        }
        catch (Exception e) when (IsOfReading(e))
        {
            return null;
        }
    }

    /// <summary>Whether every part of an address can be read: of some hosts .NET finds out only when it is asked for them.</summary>
    public static bool IsReadable(Uri address)
    {
        try
        {
            return TryRead(address.AbsoluteUri, out Uri? again) && again.IdnHost == address.IdnHost;
        }
        catch (Exception e) when (IsOfReading(e))
        {
            return false;
        }
    }

    /// <summary>Whether nobody else can listen: encrypted, or within this machine.</summary>
    public static bool IsPrivate(Uri address) => address.Scheme == "https" || IsLoopback(address);

    /// <summary>Whether an address is within this machine.</summary>
    public static bool IsLoopback(Uri address) =>
        string.Equals(address.DnsSafeHost, "localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(address.DnsSafeHost, out IPAddress? ip) && IPAddress.IsLoopback(ip));

    /// <summary>There are texts on which .NET's own reading leaves an array, where signs that turn the direction of text come first.</summary>
    private static bool IsOfReading(Exception e) => e is UriFormatException or IndexOutOfRangeException or ArgumentException;
}
