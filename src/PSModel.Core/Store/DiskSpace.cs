using System.Globalization;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;

namespace PSModel.Core.Store;

/// <summary>Looks whether a blob fits before its first byte is fetched. Stateless and thread-safe.</summary>
internal static class DiskSpace
{
    /// <summary>Requires room for what is missing of the blob.</summary>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.InsufficientDiskSpace"/>.</exception>
    public static void Require(ModelStore store, Layer layer, long kept)
    {
        long required = layer.Size - kept;
        if (AvailableAt(store.Root) is not { } available || available >= required)
        {
            return;
        }

        throw new ModelFaultException(
            ModelFault.InsufficientDiskSpace,
            string.Format(CultureInfo.InvariantCulture, "{0} needs {1} bytes more, and the volume of '{2}' has {3}.", layer.Digest, required, store.Root, available),
            new FaultFacts { Digest = layer.Digest.ToString(), Path = store.Root, RequiredBytes = required, AvailableBytes = available });
    }

    /// <summary>The free bytes of the volume that a path is on or will be on; <see langword="null"/> where nobody can tell.</summary>
    private static long? AvailableAt(string path)
    {
        string? existing = path;
        while (existing is not null && !Directory.Exists(existing))
        {
            existing = Path.GetDirectoryName(existing);
        }

        try
        {
            return existing is null ? null : new DriveInfo(existing).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or ArgumentException or UnauthorizedAccessException)
        {
            // A network share may have no drive to ask; the write itself will tell.
            return null;
        }
    }
}
