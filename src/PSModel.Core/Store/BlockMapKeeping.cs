using PSModel.Core.Blocks;
using PSModel.Core.Faults;
using PSModel.Core.Names;

namespace PSModel.Core.Store;

/// <summary>
/// Leaves a block map of a blob that was read and found right and has none, so that a later damage can be located and mended by
/// blocks. Stateless and thread-safe.
/// </summary>
internal static class BlockMapKeeping
{
    /// <summary>Whether a file has use for a map: it lies among the blobs of a store, and is longer than one block.</summary>
    public static bool IsUseful(string path, BlobDigest digest, long size) =>
        size > BlockLayout.BlockSize && ModelStore.OfBlob(path, digest) is { } store && new BlockMapFile(store, digest).TryRead()?.Layout.Size != size;

    /// <summary>Writes the map, unless the blob is being fetched at this moment: that leaves one as well.</summary>
    /// <returns>Why it could not be written; <see langword="null"/> where nothing was in the way.</returns>
    public static ModelFaultException? TryWrite(string path, BlobDigest digest, BlockMap map)
    {
        ModelStore store = ModelStore.OfBlob(path, digest)!;
        try
        {
            StoreFault.Guard(store, store.CommonWork, () =>
            {
                using BlobLock? held = BlobLock.TryAcquire(store, digest);
                if (held is not null)
                {
                    new BlockMapFile(store, digest).Write(map);
                }
            });
            return null;
        }
        catch (ModelFaultException e)
        {
            return e;
        }
    }
}
