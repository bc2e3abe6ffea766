using System.Diagnostics.CodeAnalysis;
using PSModel.Core.Faults;

namespace PSModel.Core.Names;

/// <summary>
/// Where a model's manifest is, apart from the name that a store keeps it under: <c>[scheme://]host/repository[:tag][@sha256:…]</c>.
/// Immutable; equal when all parts are.
/// </summary>
/// <remarks>The grammar is that of the distribution specification, with capitals as some registries have them. A repository may have
/// any number of parts, where a model's name has two.</remarks>
public sealed record OciReference
{
    private const string ApiPath = "/v2/";
    private const string ManifestPart = "/manifests/";
    private const string HubHost = "docker.io";
    private const string HubNamespace = "library";

    /// <summary>The distribution specification's bound of a tag.</summary>
    private const int LongestTag = 128;

    /// <summary>Of host and repository together, as Docker bounds them.</summary>
    private const int LongestName = 255;

    private OciReference(string scheme, string host, string repository, string? tag, BlobDigest? pin)
    {
        Scheme = scheme;
        Host = host;
        Repository = repository;
        Tag = tag ?? ModelName.DefaultTag;
        Pin = pin;
    }

    /// <summary><c>https</c> or <c>http</c>.</summary>
    public string Scheme { get; }

    /// <summary>The registry's host, with a port if there is one.</summary>
    public string Host { get; }

    /// <summary>The repository, of one part or more: <c>group/sub/project/llama</c>.</summary>
    public string Repository { get; }

    /// <summary>The tag; <c>latest</c> where none is given.</summary>
    public string Tag { get; }

    /// <summary>The digest that the manifest's bytes must have; <see langword="null"/> where any will do.</summary>
    public BlobDigest? Pin { get; }

    /// <summary>The address of the manifest.</summary>
    internal string ManifestAddress => $"{Scheme}{NameText.SchemeSeparator}{Host}{ApiPath}{Repository}{ManifestPart}{Pin?.ToString() ?? Tag}";

    /// <summary>Reads a reference.</summary>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.InvalidModelName"/>.</exception>
    public static OciReference Parse(string? text) =>
        TryParse(text, out OciReference? reference, out string? problem)
            ? reference
            : throw new ModelFaultException(
                ModelFault.InvalidModelName,
                $"'{OutsideText.Of(OutsideText.Typed(text))}' is not a source: {problem}. A source is [scheme://]host/repository[:tag][@sha256:…], 'registry.gitlab.com/group/project/llama:8b' for instance, or a folder that is there.",
                new FaultFacts { Name = OutsideText.Of(OutsideText.Typed(text)) });

    /// <summary>Reads a reference; <paramref name="problem"/> says what is wrong where there is one.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out OciReference? reference, [NotNullWhen(false)] out string? problem)
    {
        reference = null;
        if (string.IsNullOrEmpty(text))
        {
            problem = "it is empty";
            return false;
        }

        if (OutsideText.HasUserInformation(text!))
        {
            problem = NameText.HoldsSecret;
            return false;
        }

        string? front = text;
        string? scheme = NameText.CutScheme(ref front);
        string rest = front!;
        BlobDigest? pin = null;
        int at = rest.LastIndexOf('@');
        if (at >= 0)
        {
            if (!BlobDigest.TryParse(rest.Substring(at + 1), out pin))
            {
                problem = "what follows the '@' is not a digest";
                return false;
            }

            rest = rest.Substring(0, at);
        }

        int slash = rest.IndexOf('/');
        string host = slash < 0 ? rest : rest.Substring(0, slash);
        string repository = slash < 0 ? string.Empty : rest.Substring(slash + 1);
        int colon = repository.LastIndexOf(':');
        string? tag = colon < 0 ? null : repository.Substring(colon + 1);
        repository = colon < 0 ? repository : repository.Substring(0, colon);
        if (host == HubHost && repository.Length > 0 && !repository.Contains('/'))
        {
            repository = $"{HubNamespace}/{repository}";
        }

        problem = NameText.CheckScheme(scheme) ?? CheckHost(host, isCertain: scheme is not null) ?? CheckRepository(host, repository) ?? CheckTag(tag);
        if (problem is not null)
        {
            return false;
        }

        reference = new OciReference(scheme ?? ModelName.DefaultScheme, host, repository, tag, pin);
        return true;
    }

    /// <summary>Reads the address of a manifest, as <see cref="ManifestAddress"/> gives it.</summary>
    internal static OciReference? TryOfAddress(string? address)
    {
        if (!AddressText.TryRead(address, out Uri? uri) || uri.Scheme is not ("https" or "http") || uri.Query.Length > 0 || uri.Fragment.Length > 0 || uri.UserInfo.Length > 0)
        {
            return null;
        }

        string path = uri.AbsolutePath;
        int at = path.LastIndexOf(ManifestPart, StringComparison.Ordinal);
        if (!path.StartsWith(ApiPath, StringComparison.Ordinal) || at < ApiPath.Length)
        {
            return null;
        }

        string repository = path.Substring(ApiPath.Length, at - ApiPath.Length);
        string last = path.Substring(at + ManifestPart.Length);
        bool isPinned = BlobDigest.TryParse(last, out BlobDigest? pin);
        bool isRight = CheckRepository(uri.Authority, repository) is null && (isPinned || CheckTag(last) is null);
        return isRight ? new OciReference(uri.Scheme, uri.Authority, repository, isPinned ? null : last, pin) : null;
    }

    /// <summary>The name that a store would keep it under where none is given: the last two parts of the repository.</summary>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.InvalidModelName"/>.</exception>
    public ModelName ToName() => ModelName.Parse(NameInStore);

    /// <summary>The name as <see cref="ToName"/> gives it; <see langword="null"/> where no store could keep it.</summary>
    internal ModelName? TryToName() => ModelName.TryParse(NameInStore, out ModelName? name, out _) ? name : null;

    private string NameInStore
    {
        get
        {
            string[] parts = Repository.Split('/');
            string @namespace = parts.Length > 1 ? parts[parts.Length - 2] : HubNamespace;
            return $"{Scheme}{NameText.SchemeSeparator}{Host}/{@namespace}/{parts[parts.Length - 1]}:{Tag}";
        }
    }

    /// <summary>The text that reads back as this very reference.</summary>
    public override string ToString()
    {
        bool isPlain = Scheme == ModelName.DefaultScheme && CheckHost(Host, isCertain: false) is null;
        return $"{(isPlain ? string.Empty : Scheme + NameText.SchemeSeparator)}{Host}/{Repository}:{Tag}{(Pin is null ? string.Empty : $"@{Pin}")}";
    }

    /// <summary>As Docker tells a host from the first part of a repository: it has a dot or a port, or is this machine.</summary>
    private static string? CheckHost(string host, bool isCertain) =>
        host.Length == 0 || !(NameText.IsWordCharacter(host[0]) || host[0] == '[') || !host.All(c => NameText.IsWordCharacter(c) || c is '.' or '-' or ':' or '[' or ']') ? "its host cannot be read"
        : isCertain || host.IndexOfAny(['.', ':']) >= 0 || host == "localhost" ? null
        : $"'{host}' is no registry's host";

    private static string? CheckRepository(string host, string repository) =>
        repository.Length == 0 ? "it names no repository"
        : host.Length + repository.Length > LongestName ? $"host and repository are longer than {LongestName} characters"
        : repository.Split('/').All(part => part.Length > 0 && NameText.IsWordCharacter(part[0]) && part.All(NameText.IsNameCharacter)) ? null
        : "its repository has a part that is empty, or has other characters than letters, digits, '.', '_' and '-'";

    private static string? CheckTag(string? tag) =>
        tag is null || (tag.Length is > 0 and <= LongestTag && NameText.IsWordCharacter(tag[0]) && tag.All(NameText.IsNameCharacter)) ? null : "its tag cannot be read";
}
