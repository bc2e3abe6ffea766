using PSModel.Core.Blocks;
using PSModel.Core.Diagnosis;
using PSModel.Core.Metering;
using PSModel.Core.Names;
using PSModel.Core.Reading;
using PSModel.Core.Store;

namespace PSModel.Core.Transfer;

/// <summary>Reads a file whole, block by block, for a repair. Stateless and thread-safe.</summary>
internal static class RepairReading
{
    /// <summary>Reads a file. Reads past the cache come from where the bytes are, and stay right where others do not; but a read
    /// that fails in this mode may succeed in the common one.</summary>
    /// <exception cref="HeldFileException">Another program lets nobody read it.</exception>
    /// <exception cref="IOException">Nothing of it can be read.</exception>
    public static async Task<ReadPass> RunAsync(string path, BlobDigest digest, BlockLayout layout, TransferMeter meter, CancellationToken cancellationToken)
    {
        // A read tells why it failed in words alone.
        HeldFile.Try(path, () => BlobFile.Open(path, ReadMode.Buffered).Dispose());
        ReadPass pass = await ReadAsync(path, ReadMode.Unbuffered, digest, layout, meter, cancellationToken).ConfigureAwait(false);
        if (!pass.IsWhole)
        {
            pass = await ReadAsync(path, ReadMode.Buffered, digest, layout, meter, cancellationToken).ConfigureAwait(false);
        }

        return pass.IsRead || FileFacts.TryRead(path) is { Size: 0 } ? pass : throw new IOException(pass.Result!.Error);
    }

    private static async Task<ReadPass> ReadAsync(string path, ReadMode mode, BlobDigest digest, BlockLayout layout, TransferMeter meter, CancellationToken cancellationToken)
    {
        meter.Phase = TransferPhase.Verifying;
        meter.BeginVerify();
        ReadPass pass = new(path, mode, wantsColdCache: mode == ReadMode.Buffered, layout);
        await pass.RunAsync(digest, (_, _, _) => { }, meter.Verify, cancellationToken).ConfigureAwait(false);
        return pass;
    }
}
