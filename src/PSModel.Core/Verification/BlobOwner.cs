using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Registry;
using PSModel.Core.Store;

namespace PSModel.Core.Verification;

/// <summary>A model that has a blob, and the store that both are in. Immutable.</summary>
/// <param name="Store">The store.</param>
/// <param name="Manifest">The model.</param>
public sealed record BlobOwner(ModelStore Store, Manifest Manifest)
{
    /// <summary>The command that mends the blob, ready to be pasted.</summary>
    public string RepairCommand => SaveCommand.For(Store, Manifest, "-Repair");

    /// <summary>The address of the registry that the model came from, where that is known and the model's name does not tell.</summary>
    public string? Origin =>
        RegistryEndpoint.OriginOf(Manifest) is { } origin && origin != $"{ModelName.DefaultScheme}://{Manifest.Name.Host}" ? origin : null;
}
