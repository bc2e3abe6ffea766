using PSModel.Core.Faults;
using PSModel.Core.Names;

namespace PSModel.Core.Manifests;

/// <summary>A checked manifest together with the very bytes it was read from. Immutable.</summary>
public sealed class Manifest
{
    private readonly byte[] _bytes;

    internal Manifest(ModelName name, string source, byte[] bytes, BlobDigest digest, string mediaType, Layer? config, IReadOnlyList<Layer> layers)
    {
        Name = name;
        Source = source;
        _bytes = bytes;
        Digest = digest;
        MediaType = mediaType;
        Config = config;
        Layers = layers;
    }

    /// <summary>The model it describes.</summary>
    public ModelName Name { get; }

    /// <summary>Where it was read: an absolute address or a path.</summary>
    public string Source { get; }

    /// <summary>The address of the registry that it came from, where that is known: <c>https://host</c> mostly.</summary>
    public string? Origin { get; private init; }

    /// <summary>The SHA-256 of the manifest's bytes.</summary>
    public BlobDigest Digest { get; }

    /// <summary>The manifest's media type, from its text.</summary>
    public string MediaType { get; }

    /// <summary>The config blob, or <see langword="null"/> where the manifest names none.</summary>
    public Layer? Config { get; }

    /// <summary>The layers in the manifest's order.</summary>
    public IReadOnlyList<Layer> Layers { get; }

    /// <summary>The sum of the sizes of config and layers, in bytes.</summary>
    public long Size => Layers.Sum(layer => layer.Size) + (Config?.Size ?? 0);

    /// <summary>The blobs to have, layers first as Ollama fetches them, each digest once.</summary>
    public IReadOnlyList<Layer> Blobs
    {
        get
        {
            HashSet<BlobDigest> seen = new();
            IEnumerable<Layer> all = Config is null ? Layers : Layers.Concat([Config]);
            return all.Where(layer => seen.Add(layer.Digest)).ToList();
        }
    }

    /// <summary>The one blob that a digest or its beginning means.</summary>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.BlobNotFound"/> where the manifest names none, or
    /// <see cref="ModelFault.InvalidDigest"/> where it names several that begin so.</exception>
    public Layer Find(BlobDigestPart digest)
    {
        List<Layer> found = [.. Blobs.Where(layer => digest.IsOf(layer.Digest))];
        FaultFacts facts = new() { Name = Name.Shortest, Digest = digest.ToString() };
        return found.Count switch
        {
            0 => throw new ModelFaultException(ModelFault.BlobNotFound, $"The manifest of {Name.Shortest} names no blob {digest}.", facts),
            1 => found[0],
            _ => throw new ModelFaultException(ModelFault.InvalidDigest, $"Of {Name.Shortest}, {found.Count} blobs begin with {digest}.", facts),
        };
    }

    /// <summary>The same manifest, said to have come from a registry.</summary>
    public Manifest From(string? origin) => new(Name, Source, _bytes, Digest, MediaType, Config, Layers) { Origin = origin };

    /// <summary>A copy of the bytes as they were read.</summary>
    public byte[] GetBytes() => (byte[])_bytes.Clone();
}
