using System.Net.Http;
using System.Net.Http.Headers;
using System.Text;

namespace PSModel.Core.Authentication;

/// <summary>What an answer 401 asks for. Immutable.</summary>
/// <remarks>The form of <c>WWW-Authenticate</c> is that of RFC 9110, section 11.6.1; realm, service and scope are those of the
/// distribution specification's token authentication.</remarks>
internal sealed class AuthChallenge
{
    public const string Bearer = "Bearer";
    public const string Basic = "Basic";

    private readonly Dictionary<string, string> _parameters;

    private AuthChallenge(string scheme, Dictionary<string, string> parameters)
    {
        Scheme = scheme;
        _parameters = parameters;
    }

    /// <summary>How to authenticate.</summary>
    public string Scheme { get; }

    /// <summary>Where the token service is; <see langword="null"/> where the challenge does not tell.</summary>
    public string? Realm => Find("realm");

    /// <summary>The name by which the token service knows the registry.</summary>
    public string? Service => Find("service");

    /// <summary>What is wanted leave for, several parted by spaces.</summary>
    public string? Scope => Find("scope");

    /// <summary>The challenges of an answer, in its order.</summary>
    public static IReadOnlyList<AuthChallenge> ReadAll(HttpResponseMessage response) =>
        [.. response.Headers.WwwAuthenticate.Select(Read)];

    /// <summary>Whether it is of a scheme.</summary>
    public bool IsOf(string scheme) => string.Equals(Scheme, scheme, StringComparison.OrdinalIgnoreCase);

    private static AuthChallenge Read(AuthenticationHeaderValue value)
    {
        Dictionary<string, string> parameters = new(StringComparer.OrdinalIgnoreCase);
        string text = value.Parameter ?? string.Empty;
        for (int at = 0; at < text.Length;)
        {
            int equals = text.IndexOf('=', at);
            if (equals < 0)
            {
                break;
            }

            string name = text.Substring(at, equals - at).Trim(' ', ',', '\t');
            at = equals + 1;
            parameters[name] = ReadValue(text, ref at);
        }

        return new AuthChallenge(value.Scheme, parameters);
    }

    private static string ReadValue(string text, ref int at)
    {
        while (at < text.Length && text[at] == ' ')
        {
            at++;
        }

        if (at >= text.Length || text[at] != '"')
        {
            int end = text.IndexOf(',', at) is var comma && comma < 0 ? text.Length : comma;
            string plain = text.Substring(at, end - at).Trim();
            at = end;
            return plain;
        }

        StringBuilder quoted = new();
        for (at++; at < text.Length && text[at] != '"'; at++)
        {
            at += text[at] == '\\' && at + 1 < text.Length ? 1 : 0;
            quoted.Append(text[at]);
        }

        at++;
        return quoted.ToString();
    }

    private string? Find(string parameter) => _parameters.TryGetValue(parameter, out string? value) && value.Length > 0 ? value : null;
}
