using PSModel.Core.Faults;
using PSModel.Core.Names;

namespace PSModel.Pipeline;

/// <summary>Blobs and their bytes as people read them. Stateless and thread-safe.</summary>
internal static class BlobCount
{
    /// <summary>How many blobs, and of how many bytes in all.</summary>
    public static string Of(Dictionary<BlobDigest, long> blobs) =>
        $"{blobs.Count} blob{(blobs.Count == 1 ? string.Empty : "s")} of {ByteText.Of(blobs.Values.Sum())}";
}
