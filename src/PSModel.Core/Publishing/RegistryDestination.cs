using System.Collections.Concurrent;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Registry;

namespace PSModel.Core.Publishing;

/// <summary>The registry that each model's name tells, or the one that the client was told. Thread-safe.</summary>
/// <param name="client">Reaches it.</param>
/// <param name="options">How to send.</param>
public sealed class RegistryDestination(RegistryClient client, PublishOptions options) : PublishDestination
{
    /// <summary>In which repository of a registry a blob was seen.</summary>
    private readonly ConcurrentDictionary<string, ConcurrentDictionary<BlobDigest, string>> _known = new(StringComparer.OrdinalIgnoreCase);

    internal override IPublishTarget Open(Manifest manifest, ModelName asked)
    {
        RegistryPush push = client.OpenPush(NameOf(manifest, asked));
        return new RegistryTarget(push, OriginOf(manifest, push.Authority), _known.GetOrAdd(push.Authority, _ => new ConcurrentDictionary<BlobDigest, string>()), options);
    }

    /// <summary>A store's names have no scheme; it may remember that the registry of this one was reached by plain http.</summary>
    private static ModelName NameOf(Manifest manifest, ModelName asked)
    {
        ModelName name = manifest.Name.WithoutPin;
        string plain = $"http://{name.Host}";
        return asked.Scheme == "http" || manifest.Origin == plain ? ModelName.Parse($"{plain}/{name.Namespace}/{name.Model}:{name.Tag}") : name;
    }

    /// <summary>The repository from which a model came, where it is one of the registry that it goes to.</summary>
    private static string? OriginOf(Manifest manifest, string authority)
    {
        try
        {
            RegistryEndpoint from = RegistryEndpoint.AllOf(manifest.Name.WithoutPin, RegistryEndpoint.OriginOf(manifest), new RegistryOptions { AllowUnencrypted = true })[0];
            return string.Equals(from.Registry.Address.GetLeftPart(UriPartial.Authority), authority, StringComparison.OrdinalIgnoreCase) ? from.Repository : null;
        }
        catch (ModelFaultException)
        {
            // What a store remembers may be anything.
            return null;
        }
    }
}
