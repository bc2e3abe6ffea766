using PSModel.Core.Commit;
using PSModel.Core.Faults;
using PSModel.Core.Lanes;
using PSModel.Core.Metering;
using PSModel.Core.Names;
using PSModel.Core.Registry;
using PSModel.Core.Sinks;
using PSModel.Core.Store;

namespace PSModel.Core.Transfer;

/// <summary>
/// Brings a blob of at most a block into the store: the lane that fetches it hashes and writes it, and it is committed together
/// with others. There are no checkpoints and no block map: what fails is fetched again. For one run.
/// </summary>
internal sealed class SmallBlob(SaveContext context, PlannedBlob planned)
{
    private readonly ModelStore _store = context.Store;
    private PartialBlob? _file;

    /// <summary>Runs the transfer to its end; comes back to the caller as soon as it waits for bytes.</summary>
    /// <exception cref="ModelFaultException">It failed; nothing of it is kept.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        bool isCommitted = false;
        planned.Meter.Phase = TransferPhase.Downloading;
        try
        {
            DiskSpace.Require(_store, planned.Layer, kept: 0, context.Schedule.Missing);
            context.Tell($"Fetching {planned.Layer.Size} bytes of {planned.Digest}.");
            InlineSink sink = new(Open);
            if (planned.Layer.Size == 0)
            {
                Open();
            }
            else
            {
                await ReceiveAsync(sink, cancellationToken).ConfigureAwait(false);
            }

            BlobDigest actual = BlobDigest.FromHash(sink.Hash.ComputeHash());
            await context.Commits.CommitAsync(new FinishedBlob(planned.Layer, planned.Name, _file!, actual, planned.Meter, DeleteTraces)).ConfigureAwait(false);
            isCommitted = true;
            planned.Meter.Phase = TransferPhase.Completed;
        }
        finally
        {
            if (!isCommitted)
            {
                Discard();
            }
        }
    }

    private async Task ReceiveAsync(InlineSink sink, CancellationToken cancellationToken)
    {
        BlobSource source = context.Client.OpenBlob(planned.Model.Manifest, planned.Layer);
        Arrival arrival = new();
        BlobFetch fetch = new(planned.Layer, [new ByteRange(0, planned.Layer.Size)], isSmall: true, hasCheckpoints: false, source, planned.Meter, sink.Take)
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

    /// <summary>An earlier version may have left a checkpoint.</summary>
    private void DeleteTraces()
    {
        new CheckpointFile(_store, planned.Digest).Delete();
        PartialBlockMap.Delete(_store, planned.Digest);
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
