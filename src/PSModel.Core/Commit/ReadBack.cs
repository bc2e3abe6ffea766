using PSModel.Core.Faults;
using PSModel.Core.Metering;
using PSModel.Core.Names;
using PSModel.Core.Store;
using PSModel.Core.Verification;

namespace PSModel.Core.Commit;

/// <summary>Reads a finished file, flushed but not yet visible, and compares what comes from the disk with what went in.
/// Thread-safe.</summary>
internal sealed class ReadBack(Action<string> tell)
{
    /// <summary>Reads a blob; its file is closed first.</summary>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.ReadBackMismatch"/>; what arrived is kept.</exception>
    public async Task RunAsync(FinishedBlob blob, CancellationToken cancellationToken)
    {
        blob.Meter.Phase = TransferPhase.Verifying;
        blob.File.Dispose();
        BlobDigest? read = null;
        string what;
        try
        {
            read = await ReadAsync(blob, cancellationToken).ConfigureAwait(false);
            what = $"gives {read}";
        }
        catch (OperationCanceledException)
        {
            blob.TryKeep(tell);
            throw;
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            what = $"fails ({e.Message})";
        }

        if (read != blob.Layer.Digest)
        {
            blob.TryKeep(tell);
            throw blob.Mismatch(
                ModelFault.ReadBackMismatch,
                blob.File.FilePath,
                read,
                $"The bytes of {blob.Layer.Digest} arrived right, and reading them back from '{blob.File.FilePath}', where they stay, {what}: the storage, or the way it is read, is at fault.");
        }
    }

    private async Task<BlobDigest> ReadAsync(FinishedBlob blob, CancellationToken cancellationToken)
    {
        (BlobReading reading, bool isFromDisk) = await DiskReader.ReadAsync(blob.File.FilePath, blob.Meter.Verify, cancellationToken).ConfigureAwait(false);
        if (!isFromDisk)
        {
            tell($"{blob.Layer.Digest} may have been read back from memory and not from a disk: its file system lets no cache be emptied or passed by.");
        }

        return reading.Digest;
    }
}
