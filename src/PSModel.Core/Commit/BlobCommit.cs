using PSModel.Core.Faults;
using PSModel.Core.Metering;
using PSModel.Core.Store;

namespace PSModel.Core.Commit;

/// <summary>
/// The one place where a blob gets its final name: flush, size, digest, read-back where that is wanted, rename, folder. Several
/// blobs at a time share the file system's work. Thread-safe.
/// </summary>
/// <param name="store">Where they go.</param>
/// <param name="readBack">Reads each once more; <see langword="null"/> where that is not wanted.</param>
/// <param name="tell">Told what users may want to know.</param>
internal sealed class BlobCommit(ModelStore store, ReadBack? readBack, Action<string> tell)
{
    /// <summary>From so many blobs on, the volume is flushed and not each file.</summary>
    private const int ManyBlobs = 8;

    /// <summary>Commits blobs.</summary>
    /// <param name="blobs">Whole files; each is closed afterwards, whatever became of it.</param>
    /// <param name="cancellationToken">Ends a read-back; what was not renamed then has failed.</param>
    /// <returns>Why each failed, in the order of the blobs; <see langword="null"/> where it did not.</returns>
    public async Task<Exception?[]> RunAsync(IReadOnlyList<FinishedBlob> blobs, CancellationToken cancellationToken)
    {
        Exception?[] failures = new Exception?[blobs.Count];

        // One flush of the volume costs less than many of files. It tells what went wrong since its file was opened, so that is
        // the one that was opened first; where it fails, each file tells for itself.
        bool areFlushed = blobs.Count >= ManyBlobs && blobs.OrderBy(blob => blob.File.Opened).First().File.TryFlushVolume();
        if (!areFlushed)
        {
            await EachAsync(blobs, failures, blob => blob.File.BeginFlush()).ConfigureAwait(false);
        }

        await EachAsync(blobs, failures, blob => FlushWhole(blob, areFlushed)).ConfigureAwait(false);
        await EachAsync(blobs, failures, CheckDigest).ConfigureAwait(false);
        if (readBack is not null)
        {
            await EachAsync(blobs, failures, blob => readBack.RunAsync(blob, cancellationToken)).ConfigureAwait(false);
        }

        await EachAsync(blobs, failures, Rename).ConfigureAwait(false);
        await SyncFolderAsync(blobs, failures).ConfigureAwait(false);
        await EachAsync(blobs, failures, DeleteTraces).ConfigureAwait(false);
        foreach (FinishedBlob blob in blobs)
        {
            blob.File.Dispose();
        }

        return failures;
    }

    private static Task EachAsync(IReadOnlyList<FinishedBlob> blobs, Exception?[] failures, Action<FinishedBlob> step) =>
        EachAsync(blobs, failures, blob =>
        {
            step(blob);
            return Task.CompletedTask;
        });

    /// <summary>Takes a step with each blob that has not failed; the failure of one is none of the others.</summary>
    private static async Task EachAsync(IReadOnlyList<FinishedBlob> blobs, Exception?[] failures, Func<FinishedBlob, Task> step)
    {
        for (int i = 0; i < blobs.Count; i++)
        {
            try
            {
                await (failures[i] is null ? step(blobs[i]) : Task.CompletedTask).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                failures[i] = e;
            }
        }
    }

    /// <summary>Everything was written, so the file has the blob's size, unless somebody else wrote to it too.</summary>
    private void FlushWhole(FinishedBlob blob, bool isFlushed) => StoreFault.Guard(store, blob.File.FilePath, () =>
    {
        if (!isFlushed)
        {
            blob.File.FlushToDisk();
        }

        if (blob.File.Length != blob.Layer.Size)
        {
            throw new IOException($"The file has {ByteText.Exact(blob.File.Length)} in place of {ByteText.Exact(blob.Layer.Size)}; another program changed it.");
        }
    });

    private void CheckDigest(FinishedBlob blob)
    {
        if (blob.Actual != blob.Layer.Digest)
        {
            Discard(blob);
            throw blob.Mismatch(ModelFault.DigestMismatch, store.BlobPath(blob.Layer.Digest), blob.Actual, $"The bytes that arrived for {blob.Layer.Digest} have the digest {blob.Actual}.");
        }
    }

    private void Rename(FinishedBlob blob)
    {
        blob.Meter.Phase = TransferPhase.Committing;
        blob.BeforeRename?.Invoke();
        blob.File.RequireOwn();
        try
        {
            StoreFault.Guard(store, store.BlobPath(blob.Layer.Digest), blob.File.Rename);
        }
        catch (ModelFaultException)
        {
            // The file is whole, right and flushed, and it is its name alone that it cannot have.
            blob.TryKeep(tell);
            throw;
        }
    }

    /// <summary>One sync makes all the renames durable; where it fails, none is known to be.</summary>
    private async Task SyncFolderAsync(IReadOnlyList<FinishedBlob> blobs, Exception?[] failures)
    {
        if (!failures.Contains(null))
        {
            return;
        }

        Exception? failure = null;
        try
        {
            StoreFault.Guard(store, store.Blobs, () => DurableFile.SyncFolder(store.Blobs));
        }
        catch (ModelFaultException e)
        {
            failure = e;
        }

        await EachAsync(blobs, failures, _ => failure is null ? Task.CompletedTask : Task.FromException(failure)).ConfigureAwait(false);
    }

    /// <summary>The blob is in its place already, and a later save removes what another program holds now.</summary>
    private void DeleteTraces(FinishedBlob blob)
    {
        try
        {
            StoreFault.Guard(store, store.Work, blob.DeleteTraces);
        }
        catch (ModelFaultException e) when (e.Fault == ModelFault.BlobInUse)
        {
            tell($"What {blob.Layer.Digest} needs no more could not be removed: {e.Message}");
        }
    }

    /// <summary>Bytes that are known to be wrong are no use to a later call. The files are
    /// closed first: Windows removes none that is open.</summary>
    private void Discard(FinishedBlob blob) => StoreFault.Guard(store, store.Work, () =>
    {
        blob.File.Dispose();
        blob.DeleteTraces();
        PartialBlob.Delete(store, blob.Layer.Digest);
    });
}
