using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;

namespace PSModel.Core.Store;

/// <summary>The manifests that lie among a store's blobs, where a later Ollama keeps them (change 16590). Stateless and thread-safe.</summary>
internal sealed class ManifestBlobs(ModelStore store)
{
    /// <summary>What an entry of <c>manifests-v2/</c> leads to. It may be a link, a hard link or a copy.</summary>
    /// <returns><see langword="null"/> where that is no blob of this store, or one that has not its digest: Ollama passes such an
    /// entry over.</returns>
    /// <exception cref="IOException">It is there and cannot be read.</exception>
    public byte[]? TryReadEntry(string path)
    {
        // A folder or a pipe is no entry.
        if (FileFacts.TryRead(path) is not { IsFile: true } || ManifestFile.TryRead(path) is not { } bytes)
        {
            return null;
        }

        string blob = store.BlobPath(BlobDigest.Of(bytes));
        bool isLed = FileFacts.TryReadEntry(path) is { IsLink: true }
            ? WorkFolder.RealPath(path) is { } real && real == WorkFolder.RealPath(blob)
            : ManifestFile.TryRead(blob)?.AsSpan().SequenceEqual(bytes) == true;
        return isLed ? bytes : null;
    }

    /// <summary>What the bytes of a manifest, or of a list of them, mean in this store.</summary>
    /// <param name="found">Where they were found.</param>
    /// <param name="bytes">The bytes.</param>
    /// <param name="runner">Which manifest of a list; <see langword="null"/> for the first of those that are there.</param>
    /// <returns><see langword="null"/> where it is a list, and none of its manifests is there.</returns>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.ManifestInvalid"/>, or
    /// <see cref="ModelFault.ManifestNotFound"/> where others of a list are there than the one for the runner.</exception>
    public Manifest? TryComplete(StoredName found, byte[] bytes, string? runner)
    {
        Manifest? manifest = ManifestListReader.TryRead(found.Name, found.Path, bytes) is { } list
            ? OfList(found, list, runner)
            : AsServed(ManifestReader.Read(found.Name, found.Path, bytes).RequireFor(runner));
        return manifest is null ? null : new OriginFile(store, found.Name).Complete(manifest);
    }

    private Manifest? OfList(StoredName found, ManifestList list, string? runner)
    {
        Dictionary<BlobDigest, byte[]> there = [];
        foreach (BlobDigest digest in list.Entries.Select(entry => entry.Digest).Distinct())
        {
            if (TryReadBlob(digest) is { } bytes)
            {
                there[digest] = bytes;
            }
        }

        if (there.Count == 0)
        {
            return null;
        }

        ManifestListEntry choice = list.Choose(runner, entry => there.ContainsKey(entry.Digest));
        return ManifestReader.Read(found.Name, found.Path, there[choice.Digest]).Of(list, choice);
    }

    /// <summary>A later Ollama adds anchors to the text that the registry served, so that an earlier one keeps the manifests among
    /// the blobs. The text without them has the registry's digest, and is the one that is meant.</summary>
    private Manifest AsServed(Manifest manifest)
    {
        Manifest model = manifest.WithoutAnchors();
        foreach (byte[] bytes in manifest.Anchors.Select(anchor => TryReadBlob(anchor.Digest)).OfType<byte[]>())
        {
            try
            {
                Manifest served = ManifestReader.Read(manifest.Name, manifest.Source, bytes);
                if (served.Blobs.Select(layer => layer.Digest).SequenceEqual(model.Blobs.Select(layer => layer.Digest)))
                {
                    return served;
                }
            }
            catch (ModelFaultException)
            {
                // A list of manifests: another anchor may be the one.
            }
        }

        return model;
    }

    /// <exception cref="IOException">It is there and cannot be read.</exception>
    private byte[]? TryReadBlob(BlobDigest digest) =>
        ManifestFile.TryRead(store.BlobPath(digest)) is { } bytes && BlobDigest.Of(bytes) == digest ? bytes : null;
}
