using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Registry;

namespace PSModel.Core.Pins;

/// <summary>A model by the digest of its manifest, and where that came from. Immutable.</summary>
public sealed class PinnedModel
{
    internal PinnedModel(ModelName name, string origin, string? runner)
    {
        Name = name;
        Origin = origin;
        Runner = runner;
    }

    /// <summary>The name, with the digest behind it.</summary>
    public ModelName Name { get; }

    /// <summary>The address of the registry, of the very manifest where the name does not tell the rest, or the path of a folder.</summary>
    public string Origin { get; }

    /// <summary>What runs it, as the list told that it is one of; <see langword="null"/> where that is not known.</summary>
    public string? Runner { get; }

    /// <summary>Pins a manifest.</summary>
    /// <param name="manifest">The manifest.</param>
    /// <param name="served">The digest by which its registry has it.</param>
    /// <param name="folder">The folder that it was read from as a source; <see langword="null"/> where it was none.</param>
    public static PinnedModel Of(Manifest manifest, BlobDigest served, string? folder) =>
        new(manifest.Name.WithPin(served), folder ?? RegistryEndpoint.OriginOf(manifest) ?? $"{manifest.Name.Scheme}://{manifest.Name.Host}", manifest.Runner);
}
