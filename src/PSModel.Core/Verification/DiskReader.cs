using PSModel.Core.Faults;
using PSModel.Core.Reading;

namespace PSModel.Core.Verification;

/// <summary>Reads a file from the disk itself, and not what the operating system keeps of it. Stateless and thread-safe.</summary>
internal static class DiskReader
{
    /// <summary>Reads a file as every program does, once the cache has forgotten it; where that is not possible, past the cache.</summary>
    /// <param name="path">The file; what was written of it is on the disk.</param>
    /// <param name="onRead">Told of the bytes of each read, from any thread.</param>
    /// <param name="cancellationToken">Stops between two reads.</param>
    /// <returns>What was read, and whether it came from the disk.</returns>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static async Task<(BlobReading Reading, bool IsFromDisk)> ReadAsync(string path, Action<int>? onRead, CancellationToken cancellationToken)
    {
        if (PageCache.TryDrop(path))
        {
            return (await BlobReader.ReadAsync(path, ReadMode.Buffered, onRead, cancellationToken).ConfigureAwait(false), true);
        }

        try
        {
            BlobReading reading = await BlobReader.ReadAsync(path, ReadMode.Unbuffered, onRead, cancellationToken).ConfigureAwait(false);
            return (reading, PageCache.CanBePassed(path));
        }
        catch (ModelFaultException e) when (e.Fault == ModelFault.ReadModeNotSupported)
        {
            return (await BlobReader.ReadAsync(path, ReadMode.Buffered, onRead, cancellationToken).ConfigureAwait(false), false);
        }
    }
}
