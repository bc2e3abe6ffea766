namespace PSModel.Core.Authentication;

/// <summary>
/// Finds who asks a registry: whom the call names, else <c>HF_TOKEN</c> for Hugging Face, else what <c>docker login</c> left. Each
/// registry is looked up once. Thread-safe.
/// </summary>
internal sealed class CredentialFinder
{
    private const string HuggingFaceToken = "HF_TOKEN";

    private readonly RegistryCredential? _given;
    private readonly Func<string, string?> _variable;
    private readonly DockerConfig _config;
    private readonly Action<string> _tell;
    private readonly HashSet<string> _refused = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, RegistryCredential?> _found = new(StringComparer.OrdinalIgnoreCase);

    /// <param name="given">The credential of the call, for whatever registry it asks.</param>
    /// <param name="variable">Gives the value of a variable of the environment.</param>
    /// <param name="home">The user's folder.</param>
    /// <param name="tell">Told what could not be read; no secrets.</param>
    public CredentialFinder(RegistryCredential? given, Func<string, string?> variable, string home, Action<string> tell)
    {
        _given = given;
        _variable = variable;
        _config = new DockerConfig(variable, home);
        _tell = tell;
    }

    /// <summary>The token that a registry is shown before it asks: one that was given for it, or is made for it alone.</summary>
    public RegistryCredential? FindToken(RegistryAddress registry) =>
        GivenFor(registry) is { } given ? (given.Kind == CredentialKind.Token ? given : null)
        : IsRefused(registry) ? null
        : FindLeftToken(registry);

    /// <summary>The token that was left for a registry, refused or not: connections that showed it at the same time are refused one
    /// after the other.</summary>
    public RegistryCredential? FindLeftToken(RegistryAddress registry) =>
        KnownHosts.IsHuggingFace(registry.Address) ? RegistryCredential.TryOfToken(_variable(HuggingFaceToken)) : null;

    /// <summary>The credential of a registry; <see langword="null"/> where there is none, and it may be asked without.</summary>
    public RegistryCredential? Find(RegistryAddress registry, CancellationToken cancellationToken)
    {
        if ((GivenFor(registry) ?? FindToken(registry)) is { } known)
        {
            return known;
        }

        string host = HostOf(registry);
        lock (_found)
        {
            if (!_found.TryGetValue(host, out RegistryCredential? found))
            {
                found = _config.Find(host, _tell, cancellationToken);
                _found[host] = found;
            }

            return found;
        }
    }

    /// <summary>A registry, or its token service, refused what was found and not given: a stale password must not keep anybody from what
    /// is open to all.</summary>
    /// <returns>Whether the registry can be asked without.</returns>
    public bool Refuse(RegistryAddress registry)
    {
        if (GivenFor(registry) is not null)
        {
            return false;
        }

        string host = HostOf(registry);
        lock (_found)
        {
            if (_refused.Add(host))
            {
                _found[host] = null;
                _tell($"The credentials for {host} that HF_TOKEN or docker login left were refused; it is asked without.");
            }

            return true;
        }
    }

    private bool IsRefused(RegistryAddress registry)
    {
        lock (_found)
        {
            return _refused.Contains(HostOf(registry));
        }
    }

    /// <summary>As docker login writes it.</summary>
    private static string HostOf(RegistryAddress registry) => registry.Address.Authority;

    private RegistryCredential? GivenFor(RegistryAddress registry) => registry.IsNamed ? _given : null;
}
