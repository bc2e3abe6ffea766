using System.Text;
using System.Text.Json;

namespace PSModel.Core.Authentication;

/// <summary>What <c>docker login</c>, or podman and skopeo, left: credentials, or the helpers that keep them. Stateless and
/// thread-safe; the files are read each time.</summary>
/// <remarks>The form is that of Docker's <c>config.json</c> and of <c>containers-auth.json</c>.</remarks>
internal sealed class DockerConfig(Func<string, string?> variable, string home)
{
    private const string HubName = "docker.io";
    private const string HubKey = "https://index.docker.io/v1/";
    private const int MaximumBytes = 4 * 1024 * 1024;

    private static readonly string[] HubHosts = ["docker.io", "index.docker.io", "registry-1.docker.io"];

    /// <summary>The files that are looked at, in order.</summary>
    private IEnumerable<string> Files => new[]
    {
        variable("REGISTRY_AUTH_FILE"),
        variable("DOCKER_CONFIG") is { Length: > 0 } folder ? $"{folder}/config.json" : home.Length > 0 ? Path.Combine(home, ".docker", "config.json") : null,
    }.Where(path => !string.IsNullOrEmpty(path)).Select(path => path!);

    /// <summary>Finds the credential of a registry.</summary>
    /// <param name="host">Its host, with the port if it has one.</param>
    /// <param name="tell">Told what could not be read.</param>
    /// <param name="cancellationToken">Ends a helper that is asked.</param>
    /// <returns><see langword="null"/> where there is none.</returns>
    public RegistryCredential? Find(string host, Action<string> tell, CancellationToken cancellationToken)
    {
        foreach (string path in Files.Where(File.Exists))
        {
            try
            {
                if (FindIn(path, host, tell, cancellationToken) is { } found)
                {
                    return found;
                }
            }
            catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException or JsonException or InvalidOperationException or FormatException)
            {
                // A parser's message may show what it could not parse.
                tell($"Credentials for {host} could not be taken from '{path}': {(e is JsonException or InvalidOperationException or FormatException ? "it is not what docker login writes" : e.Message)}.");
            }
        }

        return null;
    }

    private static RegistryCredential? FindIn(string path, string host, Action<string> tell, CancellationToken cancellationToken)
    {
        if (new FileInfo(path).Length > MaximumBytes)
        {
            throw new IOException("it is too long");
        }

        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
        JsonElement root = document.RootElement;
        string[] names = HubHosts.Contains(host, StringComparer.OrdinalIgnoreCase) ? [HubKey, HubName, .. HubHosts] : [host];
        string server = names[0];
        string? helper = Entry(root, "credHelpers", names) is { ValueKind: JsonValueKind.String } own ? own.GetString()
            : root.TryGetProperty("credsStore", out JsonElement store) ? store.GetString()
            : null;
        try
        {
            if (!string.IsNullOrEmpty(helper) && CredentialHelper.Get(helper!, server, cancellationToken) is { } kept)
            {
                return kept;
            }
        }
        catch (InvalidDataException e)
        {
            // A program that is gone leaves its name behind, and the entry of another may be right.
            tell($"Credentials for {host} could not be had by '{path}': {e.Message}.");
        }

        return Entry(root, "auths", names) is { ValueKind: JsonValueKind.Object } entry ? Read(entry) : null;
    }

    private static RegistryCredential? Read(JsonElement entry)
    {
        if (Text(entry, "identitytoken") is { } identity)
        {
            return RegistryCredential.OfIdentityToken(identity);
        }

        if (Text(entry, "registrytoken") is { } token)
        {
            return RegistryCredential.TryOfToken(token);
        }

        if (Text(entry, "auth") is not { } both)
        {
            return Text(entry, "username") is { } name && Text(entry, "password") is { } password ? RegistryCredential.OfUser(name, password) : null;
        }

        string text = Encoding.UTF8.GetString(Convert.FromBase64String(both));
        int colon = text.IndexOf(':');
        return colon < 0 ? throw new FormatException() : RegistryCredential.OfUser(text.Substring(0, colon), text.Substring(colon + 1).TrimEnd('\0'));
    }

    /// <summary>Keys are hosts, and in older files addresses.</summary>
    private static JsonElement? Entry(JsonElement root, string table, string[] names)
    {
        if (!root.TryGetProperty(table, out JsonElement entries) || entries.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        foreach (JsonProperty entry in entries.EnumerateObject())
        {
            if (names.Any(name => Plain(name) == Plain(entry.Name)))
            {
                return entry.Value;
            }
        }

        return null;
    }

    private static string Plain(string key)
    {
        int scheme = key.IndexOf("://", StringComparison.Ordinal);
        string host = (scheme < 0 ? key : key.Substring(scheme + 3)).ToLowerInvariant();
        int slash = host.IndexOf('/');
        bool isAddressOfApi = slash >= 0 && (scheme >= 0 || host.Substring(slash) is "/" or "/v1/" or "/v2/" or "/v1" or "/v2");
        return isAddressOfApi ? host.Substring(0, slash) : host;
    }

    private static string? Text(JsonElement entry, string property) =>
        entry.TryGetProperty(property, out JsonElement value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text ? text : null;
}
