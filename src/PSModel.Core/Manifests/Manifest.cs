using PSModel.Core.Faults;
using PSModel.Core.Names;

namespace PSModel.Core.Manifests;

/// <summary>A checked manifest together with the very bytes it was read from. Immutable.</summary>
public sealed class Manifest
{
    private readonly byte[] _bytes;
    private byte[]? _served;

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
    public string? Origin { get; private set; }

    /// <summary>The SHA-256 of the manifest's bytes.</summary>
    public BlobDigest Digest { get; }

    /// <summary>The manifest's media type, from its text.</summary>
    public string MediaType { get; }

    /// <summary>The config blob, or <see langword="null"/> where the manifest names none.</summary>
    public Layer? Config { get; }

    /// <summary>The manifests of the list that this one was chosen from; empty where it was served alone, or that is not known.</summary>
    public IReadOnlyList<ManifestListEntry> Choices { get; private set; } = [];

    /// <summary>What runs the model, <c>llamacpp</c>, <c>ggml</c> or <c>mlx</c>, as a list or the manifest itself told;
    /// <see langword="null"/> where none did.</summary>
    public string? Runner { get; private set; }

    /// <summary>The format of its weights, as a list or the manifest itself told; <see langword="null"/> where none did.</summary>
    public string? Format { get; private set; }

    /// <summary>What the manifest says of how it was made, by the keys of <see cref="ForeignModel"/>; empty where it was made elsewhere.</summary>
    internal IReadOnlyDictionary<string, string> Notes { get; init; } = new Dictionary<string, string>();

    /// <summary>Layers that are manifests: a later Ollama adds them to the file that an earlier one reads, which then keeps them.</summary>
    internal IEnumerable<Layer> Anchors => Layers.Where(IsAnchor);

    /// <summary>The layers in the manifest's order.</summary>
    public IReadOnlyList<Layer> Layers { get; private set; }

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

    /// <summary>The blobs that are wanted of it, in their order.</summary>
    /// <param name="only">Digests, or how they begin; none for all.</param>
    /// <param name="refuse">Told of each that it does not have, and why.</param>
    internal IReadOnlyList<Layer> Choose(ICollection<BlobDigestPart> only, Action<string, ModelFaultException> refuse)
    {
        if (only.Count == 0)
        {
            return Blobs;
        }

        HashSet<Layer> chosen = [];
        foreach (BlobDigestPart digest in only)
        {
            try
            {
                chosen.Add(Find(digest));
            }
            catch (ModelFaultException fault)
            {
                refuse(digest.ToString(), fault);
            }
        }

        return [.. Blobs.Where(chosen.Contains)];
    }

    /// <summary>The same manifest, said to have come from a registry.</summary>
    public Manifest From(string? origin)
    {
        Manifest copy = (Manifest)MemberwiseClone();
        copy.Origin = origin;
        return copy;
    }

    /// <summary>The same manifest of a store, with the layers alone that are part of the model.</summary>
    public Manifest WithoutAnchors()
    {
        Manifest copy = (Manifest)MemberwiseClone();
        copy.Layers = Layers.Where(layer => !IsAnchor(layer)).ToList();
        return copy;
    }

    /// <summary>The same manifest, said to be the one of a list for a runner. One that is not known is none.</summary>
    public Manifest For(string? runner, string? format)
    {
        Manifest copy = (Manifest)MemberwiseClone();
        copy.Runner = ManifestList.KnownRunner(runner);
        copy.Format = format;
        return copy;
    }

    /// <summary>The same manifest, seen to be for a runner as far as it says itself what runs it.</summary>
    /// <param name="runner">The runner that was asked for; <see langword="null"/> for any.</param>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.ManifestNotFound"/>.</exception>
    internal Manifest RequireFor(string? runner) => runner is null || Runner is null || Runner == runner
        ? this
        : throw new ModelFaultException(
            ModelFault.ManifestNotFound,
            $"The manifest of {Name.Shortest} at {Source} is for the runner '{Runner}', and there is none for '{runner}'.",
            new FaultFacts { Name = Name.Shortest, Path = Source, Remedy = "Leave -Runner out, or name the one that it is for." });

    /// <summary>The same manifest, said to have been chosen from a list.</summary>
    internal Manifest Of(ManifestList list, ManifestListEntry choice)
    {
        Manifest copy = For(choice.Runner ?? Runner, choice.Format ?? Format);
        copy.Choices = list.Entries;
        return copy;
    }

    /// <summary>The same manifest, which was asked for by its digest, with what is known of its runner otherwise.</summary>
    /// <param name="list">What the tag is a list of; <see langword="null"/> where it is none, or that is not known.</param>
    /// <param name="runner">The one that was asked for.</param>
    internal Manifest Pinned(ManifestList? list, string? runner) =>
        Choices.Count > 0 ? this
        : list?.Entries.FirstOrDefault(entry => entry.Digest == Digest) is { } choice ? Of(list, choice)
        : For(Runner ?? runner, Format);

    /// <summary>A copy of the bytes as they were read, or made.</summary>
    public byte[] GetBytes() => (byte[])_bytes.Clone();

    /// <summary>A copy of the bytes as they were served, also where another manifest was made of them.</summary>
    public byte[] GetServedBytes() => (byte[])(_served ?? _bytes).Clone();

    /// <summary>The digest by which a registry has it: that of the manifest that it was made of, where it was made here, or in a store
    /// says that it was.</summary>
    public BlobDigest ServedDigest => _served is not null ? BlobDigest.Of(_served) : Source.StartsWith("http", StringComparison.Ordinal) ? Digest : ForeignModel.TryOriginOf(this) ?? Digest;

    /// <summary>The same manifest, said to have been made of another one.</summary>
    internal Manifest MadeOf(byte[] served)
    {
        Manifest copy = (Manifest)MemberwiseClone();
        copy._served = served;
        return copy;
    }

    private static bool IsAnchor(Layer layer) => MediaTypes.IsManifest(layer.MediaType) || layer.MediaType == MediaTypes.OllamaList;
}
