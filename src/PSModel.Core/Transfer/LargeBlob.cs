using System.Runtime.ExceptionServices;
using PSModel.Core.Blocks;
using PSModel.Core.Commit;
using PSModel.Core.Faults;
using PSModel.Core.Hashing;
using PSModel.Core.Lanes;
using PSModel.Core.Metering;
using PSModel.Core.Names;
using PSModel.Core.Registry;
using PSModel.Core.Sinks;
using PSModel.Core.Sources;
using PSModel.Core.Store;

namespace PSModel.Core.Transfer;

/// <summary>
/// Brings one large blob into the store: lanes → schedule → hash and disk → commit. What has arrived is kept when it fails. For
/// one run, by whoever holds the blob's lock.
/// </summary>
internal sealed class LargeBlob(SaveContext context, PlannedBlob planned)
{
    private readonly ModelStore _store = context.Store;
    private readonly CheckpointFile _checkpoints = new(context.Store, planned.Digest);
    private readonly Takeover _takeover = new(context.Store, planned.Layer, context.Tell);
    private readonly BlobSource _source = context.Source.OpenBlob(planned.Model.Manifest, planned.Layer);
    private Exception? _lost;

    /// <summary>Runs the transfer to its end; comes back to the caller as soon as it waits for bytes.</summary>
    /// <exception cref="ModelFaultException">It failed. The store is as it was, and what was received is kept beside it where
    /// it can be of use.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await _takeover.RunAsync(cancellationToken).ConfigureAwait(false);
        Checkpoint? kept = FindCheckpoint();
        if (kept is null)
        {
            // One that does not fit now might fit again when the file has grown past it, with other bytes.
            StoreFault.Guard(_store, _store.Work, _checkpoints.Delete);
        }

        long start = kept?.Offset ?? 0;
        BlobHash hash = kept is null ? new BlobHash() : GoOn(kept);
        planned.Meter.BytesResumed = start;
        planned.Meter.Phase = TransferPhase.Downloading;

        // Opening cuts off what is of no use, so the room is looked at afterwards.
        using PartialBlob file = PartialBlob.OpenGuarded(_store, planned.Digest, start);
        try
        {
            await FetchAsync(kept, hash, file, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception) when (!_checkpoints.Exists)
        {
            Discard(file);
            throw;
        }

        planned.Meter.Phase = TransferPhase.Completed;
    }

    private async Task FetchAsync(Checkpoint? kept, BlobHash hash, PartialBlob file, CancellationToken cancellationToken)
    {
        using PartialBlockMap? map = OpenMap(hash, kept);
        DiskSpace.Require(_store, planned.Layer, hash.Length, context.Schedule.Missing);
        context.Tell($"Fetching {ByteText.Of(planned.Layer.Size - hash.Length)} of {planned.Digest}; the SHA-256 is computed by {Sha256Engine.Best.Name}.");
        using (CheckpointKeeper keeper = new(file, map, _checkpoints))
        {
            await ReceiveAsync(hash, file, keeper, cancellationToken).ConfigureAwait(false);
        }

        BlobHashState whole = hash.Export();
        FinishedBlob finished = new(planned.Layer, planned.Name, file, BlobDigest.FromHash(hash.Sha.ComputeHash()), planned.Meter, () => DeleteTraces(map))
        {
            BeforeRename = () => KeepMap(hash),
            Keep = () => KeepWhole(hash, whole, map),
        };
        Exception?[] failures = await context.Commit.RunAsync([finished], cancellationToken).ConfigureAwait(false);
        if (failures[0] is { } failure)
        {
            if (failure is ModelFaultException { Fault: ModelFault.DigestMismatch } mismatch)
            {
                _takeover.Reject();
                throw _source.Explain(mismatch, hash.Blocks?.Finish());
            }

            ExceptionDispatchInfo.Capture(failure).Throw();
        }
    }

    /// <summary>Makes a later call commit the blob without fetching anything.</summary>
    private void KeepWhole(BlobHash hash, BlobHashState whole, PartialBlockMap? map)
    {
        if (whole.Blocks is { } mark)
        {
            map?.Save(mark);
        }

        _checkpoints.Write(new Checkpoint(planned.Layer.Size, planned.Layer.Size, whole, Validator: null));
        KeepMap(hash);
    }

    /// <summary>Without a checkpoint, what there is of the blob is of no use. A failure to remove it must not hide the one that
    /// led here.</summary>
    private void Discard(PartialBlob file)
    {
        try
        {
            file.Dispose();
            PartialBlob.Delete(_store, planned.Digest);
            PartialBlockMap.Delete(_store, planned.Digest);
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            context.Tell($"What is left of {planned.Digest} could not be removed: {e.Message}");
        }
    }

    private BlobHash GoOn(Checkpoint kept)
    {
        BlockMapBuilder? blocks = PartialBlockMap.TryRestore(_store, planned.Digest, kept.State.Blocks, kept.Offset);
        if (blocks is null)
        {
            context.Tell($"The block map of {planned.Digest} does not fit the checkpoint; the blob will have none.");
        }

        return new BlobHash(Sha256.Restore(kept.State.Sha), blocks);
    }

    private PartialBlockMap? OpenMap(BlobHash hash, Checkpoint? kept)
    {
        PartialBlockMap? map = null;
        StoreFault.Guard(_store, _store.Work, () => map = hash.Blocks is null ? null : new PartialBlockMap(_store, planned.Digest, hash.Blocks, kept?.State.Blocks));
        return map;
    }

    /// <summary>The bytes are right, so their map is, whatever becomes of the file. A blob without one is as good to use.</summary>
    private void KeepMap(BlobHash hash)
    {
        if (hash.Blocks is not null)
        {
            new BlockMapFile(_store, planned.Digest).Keep(hash.Blocks.Finish(), context.Tell);
        }
    }

    /// <summary>Removes what only a later call would need. Windows removes no file that is open.</summary>
    private void DeleteTraces(PartialBlockMap? map)
    {
        map?.Dispose();
        _checkpoints.Delete();
        PartialBlockMap.Delete(_store, planned.Digest);
    }

    private Checkpoint? FindCheckpoint()
    {
        string? problem = null;
        Checkpoint? kept = null;
        StoreFault.Guard(_store, _store.Work, () => kept = _checkpoints.TryRead(planned.Layer.Size, PartialBlob.LengthOf(_store, planned.Digest), out problem));
        if (kept is not null)
        {
            context.Tell($"Going on with {planned.Digest} after {ByteText.Exact(kept.Offset)} of {ByteText.Of(kept.Size)}, kept from an earlier call.");
        }
        else if (problem is not null)
        {
            context.Tell($"The checkpoint of {planned.Digest} cannot be used ({problem}); starting from the beginning.");
        }

        return kept;
    }

    /// <summary>Receives what is missing. However it ends, what arrived in order is in the file, and in a checkpoint unless
    /// the file is complete.</summary>
    private async Task ReceiveAsync(BlobHash hash, PartialBlob file, CheckpointKeeper keeper, CancellationToken cancellationToken)
    {
        long start = hash.Length;
        using OrderedSink sink = new(hash, file, context.Options.CheckpointInterval);
        Arrival arrival = Arrival.OnThreadPool();
        BlobFetch fetch = new(planned.Layer, [new ByteRange(start, planned.Layer.Size)], isSmall: false, hasCheckpoints: true, _source, planned.Meter, sink.Take)
        {
            OnArrived = arrival.Succeed,
            OnFailed = arrival.Fail,
        };

        void Lose(Exception e)
        {
            Interlocked.CompareExchange(ref _lost, e, null);
            arrival.Fail(e);
        }

        sink.Failed += Lose;
        keeper.Failed += Lose;
        keeper.Kept += offset => context.Schedule.MarkDurable(fetch, offset - start);
        keeper.Missed += (offset, e) =>
        {
            // It never will be covered, so nobody may wait for that.
            context.Tell($"The checkpoint of {planned.Digest} at byte {offset} could not be written: {e.Message}");
            context.Schedule.MarkDurable(fetch, offset - start);
        };
        sink.Released += chunk =>
        {
            // The state first: a chunk that is released may have its buffer filled anew.
            if (chunk.HashState is { } state)
            {
                keeper.Request(new Checkpoint(planned.Layer.Size, chunk.End, state, _source.Validator));
            }

            context.Schedule.Release(fetch, chunk);
        };

        try
        {
            if (start < planned.Layer.Size)
            {
                context.Pool.Add(fetch);
                await arrival.WaitAsync(cancellationToken).ConfigureAwait(false);
            }

            Settle(fetch, sink, keeper);
            ThrowIfLost();
        }
        catch (Exception e)
        {
            try
            {
                Settle(fetch, sink, keeper);
            }
            catch (Exception failure) when (StoreFault.IsOfStore(failure))
            {
                Lose(failure);
            }

            if (Volatile.Read(ref _lost) is { } lost)
            {
                throw StoreFault.IsOfStore(lost) ? StoreFault.From(_store, file.FilePath, lost) : lost;
            }

            KeepWhatArrived(hash, file, keeper, _source.Validator);
            ExceptionDispatchInfo.Capture(e).Throw();
        }
    }

    /// <summary>Nothing more is delivered, and what was is hashed and written; no checkpoint is being made.</summary>
    private void Settle(BlobFetch fetch, OrderedSink sink, CheckpointKeeper keeper)
    {
        context.Schedule.Remove(fetch);
        sink.Drain();
        keeper.Stop();
    }

    /// <summary>A flush tells of lost data once and never again: a later one that succeeds means nothing, and nothing past the
    /// last good checkpoint may be kept.</summary>
    private void ThrowIfLost()
    {
        if (Volatile.Read(ref _lost) is { } lost)
        {
            ExceptionDispatchInfo.Capture(lost).Throw();
        }
    }

    private void KeepWhatArrived(BlobHash hash, PartialBlob file, CheckpointKeeper keeper, string? validator)
    {
        try
        {
            if (hash.Length > 0)
            {
                keeper.Keep(new Checkpoint(planned.Layer.Size, hash.Length, hash.Export(), validator));
            }
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            // The transfer failed already, and for a reason of its own; an earlier checkpoint is still there.
            context.Tell($"What arrived last for '{file.FilePath}' could not be kept: {e.Message}");
        }
    }
}
