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
    private const string HubApi = "registry-1.docker.io";

    private static readonly string[] HubHosts = ["docker.io", "index.docker.io"];

    private readonly string _root;

    /// <exception cref="ModelFaultException"><see cref="ModelFault.UnencryptedRefused"/>.</exception>
    public RegistryEndpoint(ModelName name, RegistryOptions options)
        : this(name, options, $"{name.Scheme}://{name.Host}", wrongOrigin: null, isNamed: true)
    {
    }

    private RegistryEndpoint(ModelName name, RegistryOptions options, string origin, string? wrongOrigin, bool isNamed)
    {
        origin = options.Registry?.OriginalString ?? origin;
        string? remedy = options.Registry is null ? wrongOrigin : "Correct the address given with -Registry.";
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

        address = OfApi(address);
        _root = $"{address.GetLeftPart(UriPartial.Path).TrimEnd('/')}{ModelPath(name)}";
        Name = name;
        Registry = new RegistryAddress(address, isNamed || options.Registry is not null);
    }

    public ModelName Name { get; }

    /// <summary>The registry, for those who show it credentials.</summary>
    public RegistryAddress Registry { get; }

    /// <summary>Where a model is, by what is known of where it came from; by its name where nothing is.</summary>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.InvalidModelName"/> where the origin is no address, or
    /// <see cref="ModelFault.UnencryptedRefused"/>.</exception>
    public static RegistryEndpoint Of(ModelName name, string? origin, RegistryOptions options) =>
        origin is null ? new RegistryEndpoint(name, options) : new RegistryEndpoint(name, options, origin, WrongOrigin, isNamed: false);

    /// <summary>Where the blobs of a manifest are: with the registry that it came from, if that is known.</summary>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.UnencryptedRefused"/>.</exception>
    public static RegistryEndpoint Of(Manifest manifest, RegistryOptions options) =>
        new(manifest.Name, options, OriginOf(manifest) ?? $"{manifest.Name.Scheme}://{manifest.Name.Host}", WrongOrigin, isNamed: IsRemote(manifest));

    /// <summary>The address of the registry that a manifest came from; <see langword="null"/> where nobody knows.</summary>
    public static string? OriginOf(Manifest manifest)
    {
        string tail = ManifestPath(manifest.Name);
        string source = manifest.Source;
        return IsRemote(manifest) ? source.Substring(0, source.Length - tail.Length) : manifest.Origin;
    }

    /// <summary>Whether a manifest was read from a registry, which the call named. In a store anybody may have named one who may write
    /// there.</summary>
    private static bool IsRemote(Manifest manifest) =>
        manifest.Source.EndsWith(ManifestPath(manifest.Name), StringComparison.Ordinal) && AddressText.TryRead(manifest.Source, out Uri? address) && address.Scheme is "https" or "http";

    public Uri ManifestAddress => new($"{_root}/manifests/{(Name.Pin is { } pin ? pin.ToString() : Name.Tag)}");

    /// <summary>Where the tag's manifest is, by which a manifest tells its registry.</summary>
    public string SourceOfTag => new Uri($"{_root}/manifests/{Name.Tag}").AbsoluteUri;

    public Uri TagsAddress => new($"{_root}/tags/list");

    public Uri Blob(BlobDigest digest) => new($"{_root}/blobs/{digest}");

    /// <summary>Docker Hub's names are those of its web pages, and the registry has another one.</summary>
    private static Uri OfApi(Uri address) =>
        address.Scheme == "https" && address.IsDefaultPort && HubHosts.Contains(address.IdnHost, StringComparer.OrdinalIgnoreCase)
            ? new UriBuilder(address) { Host = HubApi }.Uri
            : address;

    private static string ModelPath(ModelName name) => $"{ApiPath}{name.Namespace}/{name.Model}";

    private static string ManifestPath(ModelName name) => $"{ModelPath(name)}/manifests/{name.Tag}";

    private static ModelFaultException Refused(ModelName name, string why, string? remedy) =>
        new(ModelFault.InvalidModelName, why, new FaultFacts { Name = name.Shortest, Remedy = remedy });
}
