namespace PSModel.Core.Registry;

/// <summary>Reads addresses that anybody may have written. Stateless and thread-safe.</summary>
internal static class AddressText
{
    /// <summary>Whether every part of an address can be read: of some hosts .NET finds out only when it is asked for them.</summary>
    public static bool IsReadable(Uri address)
    {
        try
        {
            return Uri.TryCreate(address.AbsoluteUri, UriKind.Absolute, out Uri? again) && again.IdnHost == address.IdnHost;
        }
        catch (UriFormatException)
        {
            return false;
        }
    }
}
