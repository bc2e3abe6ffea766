using PSModel.Campaign.Calls;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Store;
using PSModel.Loopback;

namespace PSModel.Campaign.Checking;

/// <summary>Nothing that a checkpoint covers is fetched again. Remembers what is covered when it is made.</summary>
internal sealed class CoverCheck(string root, LoopbackRegistry registry, IEnumerable<BlobContent> blobs)
{
    private readonly int _requests = registry.Requests.Count;
    private readonly Dictionary<string, long> _covered = blobs.DistinctBy(blob => blob.Digest).ToDictionary(blob => blob.Digest, blob => CoveredOf(new ModelStore(root), blob));

    /// <summary>Looks at what was asked for since. What turned out wrong is no longer covered, and is asked for again by another model.</summary>
    public void Look(Checker checker, CallResult result)
    {
        HashSet<string?> wrong = [.. result.Faults.Where(fault => fault.Fault == ModelFault.DigestMismatch).Select(fault => fault.Facts.Digest)];
        foreach (LoopbackRequest request in registry.Requests.Skip(_requests).Where(request => request.IsBlob && !wrong.Contains(request.Leaf)))
        {
            long first = request.Range?.First ?? 0;
            long from = _covered[request.Leaf];
            checker.That(first >= from, "nothing twice", () => $"{request.Leaf} was asked for from byte {first} on, and a checkpoint covers {from}");
        }
    }

    /// <summary>The bytes of a blob that a store has for good.</summary>
    public static long CoveredOf(ModelStore store, BlobContent blob)
    {
        BlobDigest digest = BlobDigest.Parse(blob.Digest);
        return store.Has(new Layer(digest, blob.Length, string.Empty))
            ? blob.Length
            : new CheckpointFile(store, digest).TryRead(blob.Length, PartialBlob.LengthOf(store, digest), out _)?.Offset ?? 0;
    }
}
