using System.Net.Http;
using System.Text;

namespace PSModel.Core.Authentication;

/// <summary>What a request showed of its sender. There are servers that tell their callers what they were sent. Stateless and
/// thread-safe.</summary>
internal static class ShownSecrets
{
    /// <summary>A text of a server, without what it was shown.</summary>
    public static string Hide(string text, HttpRequestMessage request)
    {
        foreach (string secret in Of(request).Where(secret => secret.Length > 0).OrderByDescending(secret => secret.Length))
        {
            text = text.Replace(secret, "…");
        }

        return text;
    }

    /// <summary>Whether a text repeats any of it.</summary>
    public static bool Has(string text, HttpRequestMessage request) => Hide(text, request) != text;

    private static List<string> Of(HttpRequestMessage request)
    {
        string header = request.Headers.TryGetValues("Authorization", out IEnumerable<string>? values) ? string.Join(" ", values) : string.Empty;
        string shown = header.Substring(header.IndexOf(' ') + 1);
        List<string> secrets = [header, shown];
        if (header.StartsWith(AuthChallenge.Basic, StringComparison.Ordinal))
        {
            string both = Encoding.UTF8.GetString(Convert.FromBase64String(shown));
            secrets.AddRange([both, both.Substring(both.IndexOf(':') + 1)]);
        }

        return secrets;
    }
}
