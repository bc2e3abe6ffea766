using PSModel.Core.Blocks;
using PSModel.Core.Faults;
using PSModel.Core.Hashing;
using PSModel.Core.Names;
using PSModel.Core.Reading;

namespace PSModel.Core.Verification;

/// <summary>Reads a file from its beginning to its end and hashes what comes. Stateless and thread-safe.</summary>
public static class BlobReader
{
    /// <summary>Reads a file; reading and hashing overlap.</summary>
    /// <param name="path">The file.</param>
    /// <param name="mode">The way to read it.</param>
    /// <param name="onRead">Told of the bytes of each read, from any thread.</param>
    /// <param name="cancellationToken">Stops between two reads.</param>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.ReadModeNotSupported"/>.</exception>
    public static Task<BlobReading> ReadAsync(string path, ReadMode mode, Action<int>? onRead, CancellationToken cancellationToken) =>
        ReadAsync(path, mode, onRead, blocks: null, cancellationToken);

    /// <summary>Reads a file, and makes the block map of what comes.</summary>
    internal static async Task<BlobReading> ReadAsync(string path, ReadMode mode, Action<int>? onRead, BlockMapBuilder? blocks, CancellationToken cancellationToken)
    {
        using BlobFile file = BlobFile.Open(path, mode);
        Sha256 sha = new();
        await FileScan.RunAsync(
            file,
            (_, bytes) =>
            {
                sha.Append(bytes);
                blocks?.Append(bytes);
                onRead?.Invoke(bytes.Length);
            },
            onError: null,
            cancellationToken).ConfigureAwait(false);
        return new BlobReading(BlobDigest.FromHash(sha.ComputeHash()), sha.Length);
    }
}
