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
/// Brings a blob of at most a block into the store: the lane that fetches it hashes and writes it, and it is committed together
/// with others. There are no checkpoints underway and no block map: what fails is fetched again, unless all of it arrived. For
/// one run.
/// </summary>
internal sealed class SmallBlob(SaveContext context, PlannedBlob planned)
{
    private readonly ModelStore _store = context.Store;
    private readonly CheckpointFile _checkpoints = new(context.Store, planned.Digest);
    private readonly BlobSource _source = context.Source.OpenBlob(planned.Model.Manifest, planned.Layer);
    private PartialBlob? _file;
    private bool _hasTraces;
    private bool _isKept;

    /// <summary>Runs the transfer to its end; comes back to the caller as soon as it waits for bytes.</summary>
    /// <exception cref="ModelFaultException">It failed; nothing of it is kept.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        bool isCommitted = false;
        planned.Meter.Phase = TransferPhase.Downloading;
        try
        {
            Sha256 hash = FindWhole() ?? await FetchAsync(cancellationToken).ConfigureAwait(false);
            BlobHashState whole = new(hash.Export(), Blocks: null);
            FinishedBlob finished = new(planned.Layer, planned.Name, _file!, BlobDigest.FromHash(hash.ComputeHash()), planned.Meter, DeleteTraces)
            {
                Keep = () => Keep(whole),
            };
            await context.Commits.CommitAsync(finished).ConfigureAwait(false);
            isCommitted = true;
            planned.Meter.Phase = TransferPhase.Completed;
        }
        catch (ModelFaultException mismatch) when (mismatch.Fault == ModelFault.DigestMismatch)
        {
            throw _source.Explain(mismatch, arrived: null);
        }
        finally
        {
            if (!isCommitted && !_isKept)
            {
                Discard();
            }
        }
    }

    /// <summary>What an earlier call fetched whole and could not commit.</summary>
    private Sha256? FindWhole()
    {
        long size = planned.Layer.Size;
        _hasTraces = _checkpoints.Exists;
        if (!_hasTraces || _checkpoints.TryRead(size, PartialBlob.LengthOf(_store, planned.Digest), out _) is not { } kept || kept.Offset != size)
        {
            return null;
        }

        context.Tell($"All {ByteText.Of(size)} of {planned.Digest} are kept from an earlier call.");
        planned.Meter.BytesResumed = size;
        _file = PartialBlob.OpenGuarded(_store, planned.Digest, size);
        return Sha256.Restore(kept.State.Sha);
    }

    private async Task<Sha256> FetchAsync(CancellationToken cancellationToken)
    {
        DiskSpace.Require(_store, planned.Layer, kept: 0, context.Schedule.Missing);
        context.Tell($"Fetching {ByteText.Of(planned.Layer.Size)} of {planned.Digest}.");
        InlineSink sink = new(Open);
        if (planned.Layer.Size == 0)
        {
            Open();
        }
        else
        {
            await ReceiveAsync(sink, cancellationToken).ConfigureAwait(false);
        }

        return sink.Hash;
    }

    private async Task ReceiveAsync(InlineSink sink, CancellationToken cancellationToken)
    {
        Arrival arrival = new(context.Commits.Post);
        BlobFetch fetch = new(planned.Layer, [new ByteRange(0, planned.Layer.Size)], isSmall: true, hasCheckpoints: false, _source, planned.Meter, sink.Take)
        {
            AfterBytes = sink.Work,
            OnArrived = arrival.Succeed,
            OnFailed = arrival.Fail,
        };
        sink.Released += chunk => context.Schedule.Release(fetch, chunk);
        sink.Failed += arrival.Fail;
        try
        {
            context.Pool.Add(fetch);
            await arrival.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            context.Schedule.Remove(fetch);
            StoreFault.Guard(_store, _store.Work, sink.Drain);
        }
    }

    private PartialBlob Open() => _file = PartialBlob.OpenGuarded(_store, planned.Digest, 0);

    /// <summary>Makes a later call commit the blob without fetching anything.</summary>
    private void Keep(BlobHashState whole)
    {
        _checkpoints.Write(new Checkpoint(planned.Layer.Size, planned.Layer.Size, whole, Validator: null));
        _isKept = true;
    }

    /// <summary>An earlier call may have left a checkpoint.</summary>
    private void DeleteTraces()
    {
        if (_hasTraces)
        {
            _checkpoints.Delete();
            PartialBlockMap.Delete(_store, planned.Digest);
        }
    }

    /// <summary>A failure to do so must not hide the one that led here.</summary>
    private void Discard()
    {
        try
        {
            _file?.Dispose();
            if (_file is not null)
            {
                PartialBlob.Delete(_store, planned.Digest);
            }
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            context.Tell($"What is left of {planned.Digest} could not be removed: {e.Message}");
        }
    }
}
