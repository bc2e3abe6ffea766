using System.Runtime.ExceptionServices;
using PSModel.Core.Blocks;
using PSModel.Core.Commit;
using PSModel.Core.Faults;
using PSModel.Core.Folders;
using PSModel.Core.Metering;
using PSModel.Core.Reading;
using PSModel.Core.Store;
using PSModel.Core.Verification;

namespace PSModel.Core.Transfer;

/// <summary>
/// Brings a blob into the store that lies in a folder of the same volume: its file is linked, read once, and committed where the digest
/// is right. For one run, by whoever holds the blob's lock.
/// </summary>
/// <param name="context">What the transfers share.</param>
/// <param name="planned">The blob.</param>
/// <param name="source">Its file in the folder.</param>
internal sealed class LinkedBlob(SaveContext context, PlannedBlob planned, string source)
{
    private readonly ModelStore _store = context.Store;

    /// <summary>Runs it to its end.</summary>
    /// <returns>Whether it could be linked; if not, it can be copied.</returns>
    /// <exception cref="ModelFaultException">The source is damaged or cannot be read, or the store cannot be written.</exception>
    public async Task<bool> TryRunAsync(CancellationToken cancellationToken)
    {
        LinkedFile? linked = null;
        string? why = null;
        StoreFault.Guard(_store, _store.Work, () => linked = LinkedFile.TryCreate(_store, planned.Digest, source, out why));
        if (linked is null)
        {
            context.Tell($"{planned.Digest} is copied, since '{source}' cannot be linked: {why}");
            return false;
        }

        using LinkedFile file = linked;
        try
        {
            await CommitAsync(file, cancellationToken).ConfigureAwait(false);
            planned.Meter.Phase = TransferPhase.Completed;
            return true;
        }
        finally
        {
            // It is still there after a rename, too, where the blob was the very file: two names of one are not renamed over each other.
            file.Dispose();
            StoreFault.Guard(_store, _store.Work, () => LinkedFile.Delete(_store, planned.Digest));
        }
    }

    private async Task CommitAsync(LinkedFile file, CancellationToken cancellationToken)
    {
        planned.Meter.Phase = TransferPhase.Verifying;
        planned.Meter.BeginVerify();
        BlockMapBuilder blocks = new();
        BlobReading reading = await ReadAsync(file, blocks, cancellationToken).ConfigureAwait(false);
        BlockMap map = blocks.Finish();
        FinishedBlob finished = new(planned.Layer, planned.Name, file, reading.Digest, planned.Meter, DeleteTraces)
        {
            BeforeRename = () => KeepMap(map),
        };
        if (reading.Digest != planned.Digest)
        {
            throw context.Source.OpenBlob(planned.Model.Manifest, planned.Layer).Explain(finished.Mismatch(ModelFault.DigestMismatch, source, reading.Digest, string.Empty), map);
        }

        // It was read just now, which is what a read-back is for.
        Exception?[] failures = await new BlobCommit(_store, readBack: null, context.Tell).RunAsync([finished], cancellationToken).ConfigureAwait(false);
        if (failures[0] is { } failure)
        {
            ExceptionDispatchInfo.Capture(failure).Throw();
        }
    }

    private async Task<BlobReading> ReadAsync(LinkedFile file, BlockMapBuilder blocks, CancellationToken cancellationToken)
    {
        try
        {
            return await BlobReader.ReadAsync(file.FilePath, ReadMode.Buffered, planned.Meter.Verify, blocks, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            throw FolderFault.Unreadable(source, planned.Meter.BytesVerified, e);
        }
    }

    /// <summary>A small blob is one block.</summary>
    private void KeepMap(BlockMap map)
    {
        if (map.Checksums.Count > 1)
        {
            new BlockMapFile(_store, planned.Digest).Keep(map, context.Tell);
        }
    }

    /// <summary>An earlier call may have begun to copy it.</summary>
    private void DeleteTraces()
    {
        new CheckpointFile(_store, planned.Digest).Delete();
        PartialBlob.Delete(_store, planned.Digest);
        PartialBlockMap.Delete(_store, planned.Digest);
    }
}
