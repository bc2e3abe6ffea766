using PSModel.Core.Authentication;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;

namespace PSModel.Core.Registry;

/// <summary>The addresses of one model at its registry. Immutable.</summary>
internal sealed class RegistryEndpoint
{
    /// <summary>The OCI distribution specification's prefix of every address.</summary>
    private const string ApiPath = "/v2/";

    private const string WrongOrigin = "Correct the Origin of what is piped in.";
    private const string WrongRegistry = "Correct the address given with -Registry.";
    private const string HubApi = "registry-1.docker.io";

    private static readonly string[] HubHosts = ["docker.io", "index.docker.io"];

    private readonly string _root;
    private readonly OciReference? _reference;

    /// <summary>A model at the registry that its name tells.</summary>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.UnencryptedRefused"/>.</exception>
    public RegistryEndpoint(ModelName name, RegistryOptions options)
        : this(name, options, AddressOf(name), remedy: null, isNamed: true)
    {
    }

    /// <param name="name">The model.</param>
    /// <param name="options">The call's.</param>
    /// <param name="origin">The address of a registry, or of the very manifest.</param>
    /// <param name="remedy">What to do about an address that is none.</param>
    /// <param name="isNamed">Whether the call names the registry.</param>
    private RegistryEndpoint(ModelName name, RegistryOptions options, string origin, string? remedy, bool isNamed)
    {
        string shown = OutsideText.Of(OutsideText.Typed(origin));
        if (!AddressText.TryRead(origin, out Uri? address) || address.Scheme is not ("https" or "http") || !AddressText.IsReadable(address))
        {
            throw Refused(name, $"'{shown}' is not the address of a registry.", remedy);
        }

        if (address.UserInfo.Length > 0)
        {
            throw Refused(name, $"The registry's address '{shown}' holds a user name or a password, which histories and logs would keep. Give it without them, and the credentials by -Credential or -Token.", remedy);
        }

        if (address.Query.Length > 0 || address.Fragment.Length > 0)
        {
            throw Refused(name, $"The registry's address '{shown}' has a query or a fragment, and the addresses of its models could not be made of it. Give it without.", remedy);
        }

        if (!AddressText.IsPrivate(address) && !options.AllowUnencrypted)
        {
            throw new ModelFaultException(
                ModelFault.UnencryptedRefused,
                $"'{shown}' would be reached over plain http, where anybody on the way can read and change what is sent.",
                new FaultFacts { Name = name.Shortest, Uri = OutsideText.Of(address) });
        }

        _reference = OciReference.TryOfAddress(origin);
        address = OfApi(address);
        _root = _reference is null
            ? $"{address.GetLeftPart(UriPartial.Path).TrimEnd('/')}{ModelPath(name)}"
            : $"{address.GetLeftPart(UriPartial.Authority)}{ApiPath}{_reference.Repository}";
        Name = name;
        Registry = new RegistryAddress(address, isNamed);
    }

    public ModelName Name { get; }

    /// <summary>What the registry was asked for, for messages.</summary>
    public string ShownName => _reference?.ToString() ?? Name.Shortest;

    /// <summary>The registry, for those who show it credentials.</summary>
    public RegistryAddress Registry { get; }

    /// <summary>Where a model is, in the order in which to ask: what the call says goes before what is known of where it came from, and
    /// that before its name.</summary>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.InvalidModelName"/> where an address is none, or
    /// <see cref="ModelFault.UnencryptedRefused"/>.</exception>
    public static IReadOnlyList<RegistryEndpoint> AllOf(ModelName name, string? origin, RegistryOptions options) =>
        OfCall(name, options) ?? [origin is null ? new RegistryEndpoint(name, options) : new RegistryEndpoint(name, options, origin, WrongOrigin, isNamed: false)];

    /// <summary>Where the blobs of a manifest are, in the order in which to ask: with the registry that it came from, if that is known, and
    /// the call says nothing else.</summary>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.UnencryptedRefused"/>.</exception>
    public static IReadOnlyList<RegistryEndpoint> AllOf(Manifest manifest, RegistryOptions options) =>
        OfCall(manifest.Name, options) ?? [new RegistryEndpoint(manifest.Name, options, OriginOf(manifest) ?? AddressOf(manifest.Name), WrongOrigin, isNamed: IsRemote(manifest))];

    private static IReadOnlyList<RegistryEndpoint>? OfCall(ModelName name, RegistryOptions options) =>
        options.Source is { } source ? [new RegistryEndpoint(name, options, source.ManifestAddress, remedy: null, isNamed: true)]
        : options.Registries.Count == 0 ? null
        : [.. options.Registries.Select(registry => new RegistryEndpoint(name, options, registry.OriginalString, WrongRegistry, isNamed: true))];

    /// <summary>The address of the registry that a manifest came from, or that of the manifest where its name does not tell the rest;
    /// <see langword="null"/> where nobody knows.</summary>
    public static string? OriginOf(Manifest manifest)
    {
        string tail = ManifestPath(manifest.Name);
        string source = manifest.Source;
        return !IsRemote(manifest) ? manifest.Origin
            : source.EndsWith(tail, StringComparison.Ordinal) ? source.Substring(0, source.Length - tail.Length)
            : source;
    }

    /// <summary>Whether a manifest was read from a registry, which the call named. In a store anybody may have named one who may write
    /// there.</summary>
    private static bool IsRemote(Manifest manifest) =>
        (manifest.Source.EndsWith(ManifestPath(manifest.Name), StringComparison.Ordinal) || OciReference.TryOfAddress(manifest.Source) is not null)
        && AddressText.TryRead(manifest.Source, out Uri? address)
        && address.Scheme is "https" or "http";

    /// <summary>The digest that the manifest's bytes must have, and who says so; none where any will do.</summary>
    public IEnumerable<(BlobDigest Digest, string Who)> Pins
    {
        get
        {
            if (Name.Pin is { } pin)
            {
                yield return (pin, "the name");
            }

            if (_reference?.Pin is { } pinOfSource)
            {
                yield return (pinOfSource, "the source");
            }
        }
    }

    public Uri ManifestAddress => new($"{_root}/manifests/{_reference?.Pin?.ToString() ?? Name.Pin?.ToString() ?? Tag}");

    /// <summary>Where the tag's manifest is, whatever is pinned.</summary>
    public Uri TagAddress => new($"{_root}/manifests/{Tag}");

    /// <summary>The model by its tag, for messages.</summary>
    public string ShownTag => _reference is null ? Name.Shortest : $"{_reference.Host}/{_reference.Repository}:{Tag}";

    /// <summary>Where the tag's manifest is, by which a manifest tells its registry.</summary>
    public string SourceOfTag => new Uri($"{_root}/manifests/{_reference?.Pin?.ToString() ?? Tag}").AbsoluteUri;

    private string Tag => _reference?.Tag ?? Name.Tag;

    public Uri TagsAddress => new($"{_root}/tags/list");

    /// <summary>Where uploads of blobs begin.</summary>
    public Uri UploadsAddress => new($"{_root}/blobs/uploads/");

    /// <summary>The repository, as a registry is told from which of its own it can take a blob.</summary>
    public string Repository => _root.Substring(_root.IndexOf(ApiPath, StringComparison.Ordinal) + ApiPath.Length);

    public Uri Blob(BlobDigest digest) => new($"{_root}/blobs/{digest}");

    /// <summary>Docker Hub's names are those of its web pages, and the registry has another one.</summary>
    private static Uri OfApi(Uri address) =>
        address.Scheme == "https" && address.IsDefaultPort && HubHosts.Contains(address.IdnHost, StringComparer.OrdinalIgnoreCase)
            ? new UriBuilder(address) { Host = HubApi }.Uri
            : address;

    private static string AddressOf(ModelName name) => $"{name.Scheme}://{name.Host}";

    private static string ModelPath(ModelName name) => $"{ApiPath}{name.Namespace}/{name.Model}";

    private static string ManifestPath(ModelName name) => $"{ModelPath(name)}/manifests/{name.Tag}";

    private static ModelFaultException Refused(ModelName name, string why, string? remedy) =>
        new(ModelFault.InvalidModelName, why, new FaultFacts { Name = name.Shortest, Remedy = remedy });
}
