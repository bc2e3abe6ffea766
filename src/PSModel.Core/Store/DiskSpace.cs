using PSModel.Core.Faults;
using PSModel.Core.Manifests;

namespace PSModel.Core.Store;

/// <summary>Looks whether a blob fits before its first byte is fetched. Stateless and thread-safe.</summary>
internal static class DiskSpace
{
    /// <summary>Where so much more than is needed was free a moment ago, thousands of small blobs do not ask anew, each for itself.</summary>
    private const long Plenty = 1024 * 1024 * 1024;

    /// <summary>Requires room for what is missing of the blob.</summary>
    /// <param name="store">The store.</param>
    /// <param name="layer">The blob.</param>
    /// <param name="kept">The bytes of it that are on the disk.</param>
    /// <param name="promised">The bytes that other transfers of the call will write.</param>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.InsufficientDiskSpace"/>.</exception>
    public static void Require(ModelStore store, Layer layer, long kept, long promised = 0)
    {
        long required = layer.Size - kept;
        if (store.FreeBytesLately - promised - Plenty >= required)
        {
            return;
        }

        if (FreeSpace.At(store.Work) is not { } available || available - promised >= required)
        {
            return;
        }

        throw new ModelFaultException(
            ModelFault.InsufficientDiskSpace,
            $"{layer.Digest} needs {ByteText.Of(required)} more, and the volume of '{store.Root}' has {ByteText.Of(available)}{(promised == 0 ? string.Empty : $", of which {ByteText.Of(promised)} are for blobs underway")}.",
            new FaultFacts { Digest = layer.Digest.ToString(), Path = store.Root, RequiredBytes = required, AvailableBytes = available });
    }
}
