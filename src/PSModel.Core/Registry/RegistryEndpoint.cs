using System.Net;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;

namespace PSModel.Core.Registry;

/// <summary>The addresses of one model at its registry. Immutable.</summary>
internal sealed class RegistryEndpoint
{
    /// <summary>The OCI distribution specification's prefix of every address.</summary>
    private const string ApiPath = "/v2/";

    private readonly string _root;

    /// <exception cref="ModelFaultException"><see cref="ModelFault.UnencryptedRefused"/>.</exception>
    public RegistryEndpoint(ModelName name, RegistryOptions options)
        : this(name, options, $"{name.Scheme}://{name.Host}")
    {
    }

    private RegistryEndpoint(ModelName name, RegistryOptions options, string origin)
    {
        origin = options.Registry?.OriginalString.TrimEnd('/') ?? origin;
        if (!Uri.TryCreate(origin, UriKind.Absolute, out Uri? address) || address.Scheme is not ("https" or "http"))
        {
            throw new ModelFaultException(
                ModelFault.InvalidModelName,
                $"'{origin}' is not the address of a registry.",
                new FaultFacts { Name = name.Shortest });
        }

        if (!IsPrivate(address) && !options.AllowUnencrypted)
        {
            throw new ModelFaultException(
                ModelFault.UnencryptedRefused,
                $"'{origin}' would be reached over plain http, where anybody on the way can read and change what is sent.",
                new FaultFacts { Name = name.Shortest, Uri = origin });
        }

        _root = $"{origin}{ApiPath}{name.Namespace}/{name.Model}";
        Name = name;
    }

    public ModelName Name { get; }

    /// <summary>Where the blobs of a manifest are: with the registry that it was read from, if it was.</summary>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.UnencryptedRefused"/>.</exception>
    public static RegistryEndpoint Of(Manifest manifest, RegistryOptions options)
    {
        int end = manifest.Source.IndexOf(ApiPath, StringComparison.Ordinal);
        bool isRemote = end > 0 && Uri.TryCreate(manifest.Source, UriKind.Absolute, out Uri? source) && !source.IsFile;
        return isRemote
            ? new RegistryEndpoint(manifest.Name, options, manifest.Source.Substring(0, end))
            : new RegistryEndpoint(manifest.Name, options);
    }

    public Uri ManifestAddress => new($"{_root}/manifests/{Name.Tag}");

    public Uri Blob(BlobDigest digest) => new($"{_root}/blobs/{digest}");

    /// <summary>Whether nobody else can listen: encrypted, or within this machine.</summary>
    public static bool IsPrivate(Uri address) =>
        address.Scheme == "https"
        || address.IsLoopback
        || (IPAddress.TryParse(address.DnsSafeHost, out IPAddress? ip) && IPAddress.IsLoopback(ip));
}
