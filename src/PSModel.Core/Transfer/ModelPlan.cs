using System.Collections.Concurrent;
using PSModel.Core.Manifests;
using PSModel.Core.Names;

namespace PSModel.Core.Transfer;

/// <summary>A model being saved: how many of its blobs are still to come, and whether one failed. Thread-safe.</summary>
internal sealed class ModelPlan(string target, Manifest manifest)
{
    private readonly ConcurrentQueue<BlobDigest> _present = new();
    private int _left = 1;
    private int _isBroken;

    public string Target => target;

    public Manifest Manifest => manifest;

    /// <summary>Whether every blob that ended is in the store.</summary>
    public bool IsSound => Volatile.Read(ref _isBroken) == 0;

    /// <summary>The blobs that were in the store before, in whatever state.</summary>
    public IReadOnlyCollection<BlobDigest> Present => _present;

    /// <summary>A blob was in the store before.</summary>
    public void AddPresent(BlobDigest digest) => _present.Enqueue(digest);

    /// <summary>A blob more is to come.</summary>
    public void Begin() => Interlocked.Increment(ref _left);

    /// <summary>A blob has ended, or the list of them.</summary>
    /// <returns>Whether that was the last.</returns>
    public bool End(bool isThere)
    {
        if (!isThere)
        {
            Volatile.Write(ref _isBroken, 1);
        }

        return Interlocked.Decrement(ref _left) == 0;
    }
}
