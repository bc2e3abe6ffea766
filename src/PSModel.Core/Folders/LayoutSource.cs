using System.Text.Json;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Registry;
using PSModel.Core.Store;

namespace PSModel.Core.Folders;

/// <summary>
/// An OCI image layout, as skopeo and oras write it: <c>index.json</c> lists the manifests, and all blobs lie in
/// <c>blobs/sha256/</c>. A manifest that tells its tag at most is of the model that it is asked for by. Thread-safe.
/// </summary>
public sealed class LayoutSource : FolderSource
{
    /// <summary>Names a layout; nothing is read yet.</summary>
    public LayoutSource(string root, RegistryOptions options)
        : base(root, options)
    {
    }

    private string IndexPath => Path.Combine(Root, LayoutNames.Index);

    /// <inheritdoc/>
    public override IReadOnlyList<ModelName> FindNames() => [.. ReadIndex().Select(NameOf).OfType<ModelName>().Distinct().OrderBy(name => name.Shortest, StringComparer.OrdinalIgnoreCase)];

    /// <inheritdoc/>
    public override IReadOnlyList<ModelName> GetTags(ModelName name, CancellationToken cancellationToken)
    {
        List<ModelName> found = [.. FindNames().Where(name.IsSameModel)];
        return found.Count > 0 ? found : throw NotFound(name, $"it has {Listed(ReadIndex())}");
    }

    /// <inheritdoc/>
    public override Manifest GetManifest(ModelName name, string? origin, string? runner, CancellationToken cancellationToken)
    {
        BlobDigest digest = Find(name, ReadIndex());
        return ServedManifest.Read(
            name.WithoutPin,
            PathOf(digest),
            ReadBlob(name, digest, "its index"),
            runner,
            blob => ReadBlob(name, blob.Digest, "its manifest"),
            choice => ReadBlob(name, choice.Digest, "its list of manifests"),
            Trace);
    }

    /// <inheritdoc/>
    public override Manifest Complete(Manifest manifest) => manifest.From(null);

    /// <summary>Whether a folder looks like one.</summary>
    internal static bool Is(string path) => File.Exists(Path.Combine(path, LayoutNames.Index));

    internal override string PathOf(BlobDigest digest) => LayoutNames.Blob(Root, digest);

    /// <summary>The manifest that is meant: one that says so, or else one that does not say what it is.</summary>
    private static BlobDigest? TryFind(ModelName name, List<LayoutEntry> entries)
    {
        List<LayoutEntry> nameless = [.. entries.Where(entry => entry.Name is null)];
        return TakeOne(entries.Where(entry => string.Equals(entry.Name?.Shortest, name.Shortest, StringComparison.OrdinalIgnoreCase)))
            ?? TakeOne(nameless.Where(entry => entry.Reference == name.Tag))
            ?? (entries.Count == 1 ? TakeOne(nameless) : null);
    }

    private static BlobDigest? TakeOne(IEnumerable<LayoutEntry> entries)
    {
        List<BlobDigest> digests = [.. entries.Select(entry => entry.Digest).Distinct()];
        return digests.Count == 1 ? digests[0] : null;
    }

    private BlobDigest Find(ModelName name, List<LayoutEntry> entries)
    {
        // What is pinned need not be listed.
        if (name.Pin is { } pin && File.Exists(PathOf(pin)))
        {
            return pin;
        }

        BlobDigest found = TryFind(name, entries) ?? throw NotFound(name, $"it has {Listed(entries)}");
        return name.Pin is null || name.Pin == found ? found : throw NotFound(name, $"the tag has moved, to {found}, and {name.Pin} is not among its blobs");
    }

    /// <summary>Names of models alone do not stand in every layout: the folder has one as well.</summary>
    private ModelName? NameOf(LayoutEntry entry)
    {
        string text = $"{Path.GetFileName(Root.TrimEnd(Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar))}:{entry.Reference ?? ModelName.DefaultTag}";
        return entry.Name ?? (ModelName.TryParse(text, out ModelName? name, out _) ? name : null);
    }

    private List<LayoutEntry> ReadIndex()
    {
        byte[] bytes;
        try
        {
            bytes = ManifestFile.Read(IndexPath);
        }
        catch (HeldFileException e)
        {
            throw FolderFault.Unreadable(IndexPath, 0, e);
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            throw FolderFault.NotFound(Root, $"'{IndexPath}' cannot be read: {e.Message}");
        }

        LayoutFault fault = new(IndexPath);
        return ManifestJson.ReadObject<List<LayoutEntry>>(bytes, fault.Because, root => root.TryGetProperty("manifests", out JsonElement manifests) && manifests.ValueKind == JsonValueKind.Array
            ? [.. manifests.EnumerateArray().Select(entry => ReadEntry(entry, fault)).Where(entry => !entry.IsForm)]
            : throw fault.Because("it has no list of manifests"));
    }

    private static LayoutEntry ReadEntry(JsonElement entry, LayoutFault fault)
    {
        bool isOne = entry.ValueKind == JsonValueKind.Object && BlobDigest.TryParse(ManifestJson.Text(entry, "digest"), out _);
        if (!isOne)
        {
            throw fault.Because("it lists a manifest without a digest that is 'sha256:' and 64 lowercase hexadecimal digits");
        }

        bool hasAnnotations = entry.TryGetProperty("annotations", out JsonElement annotations) && annotations.ValueKind == JsonValueKind.Object;
        return new LayoutEntry(
            BlobDigest.Parse(ManifestJson.Text(entry, "digest")!),
            hasAnnotations ? ManifestJson.ShownText(annotations, LayoutNames.Reference) : null,
            hasAnnotations ? ManifestJson.ShownText(annotations, LayoutNames.ImageName) : null,
            hasAnnotations && annotations.TryGetProperty(LayoutNames.FormOf, out _));
    }

    private byte[] ReadBlob(ModelName name, BlobDigest digest, string who)
    {
        string path = PathOf(digest);
        try
        {
            byte[] bytes = ManifestFile.Read(path);
            BlobDigest actual = BlobDigest.Of(bytes);
            return actual == digest ? bytes : throw new ModelFaultException(
                ModelFault.DigestMismatch,
                $"The source is damaged: '{path}' has the digest {actual}, and {who} says {digest}.",
                new FaultFacts { Name = name.Shortest, Digest = digest.ToString(), ActualDigest = actual.ToString(), Path = path, Remedy = "Copy it into the source again." });
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw NotFound(name, $"{who} names {digest}, and '{path}' is not there");
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            throw FolderFault.Unreadable(path, 0, e);
        }
    }

    private string Listed(List<LayoutEntry> entries)
    {
        const int Most = 10;
        List<string> names = [.. entries.Select(entry => NameOf(entry)?.Shortest ?? entry.Digest.ToString()).Distinct()];
        return names.Count == 0 ? "no models at all" : $"{string.Join(", ", names.Take(Most))}{(names.Count > Most ? $" and {names.Count - Most} more" : string.Empty)}";
    }

    private ModelFaultException NotFound(ModelName name, string why) => new(
        ModelFault.ManifestNotFound,
        $"The image layout '{Root}' has no model '{name}': {why}.",
        new FaultFacts { Name = name.Shortest, Path = IndexPath, Remedy = $"\"Get-ModelManifest -Source {SaveCommand.Quote(Root)}\" lists what is there." });
}
