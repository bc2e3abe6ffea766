using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace PSModel.Core.Authentication;

/// <summary>What is asked of a token service by Ollama's scheme, and what of it is signed. Stateless and thread-safe.</summary>
/// <remarks>The form is that of Ollama's <c>server/auth.go</c>.</remarks>
internal static class OllamaSignature
{
    private const int NonceBytes = 16;

    /// <summary>The SHA-256 of no bytes, which stands for the body that a GET does not have: in hexadecimal, and that in Base64.</summary>
    private static readonly string NoBody =
        Convert.ToBase64String(Encoding.ASCII.GetBytes("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));

    /// <summary>The address to ask. It holds the time and a number that is used once, so that nobody can show its signature again.</summary>
    /// <remarks>Sorted by name, as Ollama sends it; and as the service sees it, without a fragment and with the host in ASCII.</remarks>
    public static Uri AddressOf(Uri realm, string? service, IEnumerable<string> scopes)
    {
        IEnumerable<string> pairs = realm.Query.TrimStart('?').Split('&')
            .Append($"service={Uri.EscapeDataString(service ?? string.Empty)}")
            .Concat(scopes.Select(scope => $"scope={Uri.EscapeDataString(scope)}"))
            .Append(string.Format(CultureInfo.InvariantCulture, "ts={0}", DateTimeOffset.UtcNow.ToUnixTimeSeconds()))
            .Append($"nonce={MakeNonce()}")
            .Where(pair => pair.Length > 0)
            .OrderBy(pair => pair.Split('=')[0], StringComparer.Ordinal);
        return new UriBuilder(realm) { Host = realm.IdnHost, Query = string.Join("&", pairs), Fragment = string.Empty }.Uri;
    }

    /// <summary>The text that is signed.</summary>
    public static string TextOf(Uri address) => $"GET,{address.AbsoluteUri},{NoBody}";

    private static string MakeNonce()
    {
        byte[] nonce = new byte[NonceBytes];
        using RandomNumberGenerator random = RandomNumberGenerator.Create();
        random.GetBytes(nonce);
        return Convert.ToBase64String(nonce).TrimEnd('=').Replace('+', '-').Replace('/', '_');
    }
}
