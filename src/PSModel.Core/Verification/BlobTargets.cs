using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Store;

namespace PSModel.Core.Verification;

/// <summary>Says which files are to be looked at, and what digests they should have. Stateless and thread-safe.</summary>
public static class BlobTargets
{
    /// <summary>The blobs of a model.</summary>
    /// <param name="manifest">The model.</param>
    /// <param name="store">Where they lie.</param>
    /// <param name="digests">Only these blobs, by their digests or how those begin; none for all.</param>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.InvalidDigest"/>, or <see cref="ModelFault.BlobNotFound"/>
    /// where the manifest names no such blob.</exception>
    public static List<BlobTarget> OfModel(Manifest manifest, ModelStore store, IReadOnlyCollection<string> digests)
    {
        HashSet<Layer> only = [.. digests.Select(digest => manifest.Find(BlobDigestPart.Parse(digest)))];
        return manifest.Blobs
            .Where(layer => only.Count == 0 || only.Contains(layer))
            .Select(layer => new BlobTarget(store.BlobPath(layer.Digest), layer.Digest, layer.Size, manifest.Name, layer.MediaType, () => new BlobOwner(store, manifest)))
            .ToList();
    }

    /// <summary>One of several files.</summary>
    /// <param name="path">The file.</param>
    /// <param name="digests">One is meant for every file, as many as there are files for one each; with none the file's name
    /// tells.</param>
    /// <param name="index">Which of the files it is.</param>
    /// <param name="count">How many files there are.</param>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.InvalidDigest"/>.</exception>
    public static BlobTarget OfFile(string path, IReadOnlyList<string> digests, int index, int count)
    {
        if (digests.Count > 1 && digests.Count != count)
        {
            throw new ModelFaultException(
                ModelFault.InvalidDigest,
                $"{digests.Count} digests were given for {count} files: give one, or one for each file.",
                new FaultFacts { Path = path });
        }

        BlobDigest digest = digests.Count > 0 ? BlobDigest.Parse(digests[digests.Count == 1 ? 0 : index]) : DigestOf(path);
        return new BlobTarget(path, digest, null, null, null, () => OwnerOf(path, digest));
    }

    /// <summary>Of a file that lies among the blobs of a store: the first model of it that names the blob.</summary>
    private static BlobOwner? OwnerOf(string path, BlobDigest digest)
    {
        try
        {
            return ModelStore.OfBlob(path, digest) is { } store
                ? store.Manifests.ReadAll().Where(manifest => manifest.Blobs.Any(layer => layer.Digest == digest)).Select(manifest => new BlobOwner(store, manifest)).FirstOrDefault()
                : null;
        }
        catch (ModelFaultException)
        {
            return null;
        }
    }

    private static BlobDigest DigestOf(string path) => BlobDigest.TryParseFileName(Path.GetFileName(path), out BlobDigest? digest)
        ? digest
        : throw new ModelFaultException(
            ModelFault.InvalidDigest,
            $"The name of '{path}' is not that of a blob, so it does not tell the digest; give it by -Digest.",
            new FaultFacts { Path = path });
}
