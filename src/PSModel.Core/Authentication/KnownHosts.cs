namespace PSModel.Core.Authentication;

/// <summary>Hosts that are one registry by two names. Stateless and thread-safe.</summary>
internal static class KnownHosts
{
    private static readonly string[][] Pairs = [["registry.ollama.ai", "ollama.com"], ["hf.co", "huggingface.co"]];

    /// <summary>Whether an address is that of a registry: its own scheme, host and port, or over https its other name.</summary>
    public static bool AreOne(Uri registry, Uri address) =>
        (registry.Scheme == address.Scheme && registry.Port == address.Port && string.Equals(registry.IdnHost, address.IdnHost, StringComparison.OrdinalIgnoreCase))
        || (IsUsual(registry) && IsUsual(address) && Pairs.Any(pair => Has(pair, registry) && Has(pair, address)));

    /// <summary>Whether it is that of Hugging Face.</summary>
    public static bool IsHuggingFace(Uri address) => IsUsual(address) && Has(Pairs[1], address);

    /// <summary>Whether it is that of Ollama, or of Hugging Face, which speak Ollama's own scheme.</summary>
    public static bool IsOfOllama(Uri address) => IsUsual(address) && Pairs.Any(pair => Has(pair, address));

    private static bool IsUsual(Uri address) => address.Scheme == "https" && address.IsDefaultPort;

    private static bool Has(string[] pair, Uri address) => pair.Contains(address.IdnHost, StringComparer.OrdinalIgnoreCase);
}
