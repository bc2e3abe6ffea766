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

    /// <summary>The fault that the manifest names no such blob.</summary>
    public ModelFaultException HasNo(BlobDigest digest) => new(
        ModelFault.BlobNotFound,
        $"The manifest of {Name.Shortest} names no blob {digest}.",
        new FaultFacts { Name = Name.Shortest, Digest = digest.ToString() });

    /// <summary>A copy of the bytes as they were read.</summary>
    public byte[] GetBytes() => (byte[])_bytes.Clone();
}
