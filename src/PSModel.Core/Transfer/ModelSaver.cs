using System.Runtime.ExceptionServices;
using PSModel.Core.Buffers;
using PSModel.Core.Commit;
using PSModel.Core.Faults;
using PSModel.Core.Lanes;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Registry;
using PSModel.Core.Scheduling;
using PSModel.Core.Sources;
using PSModel.Core.Store;

namespace PSModel.Core.Transfer;

/// <summary>
/// Brings models into a store: their blobs, several at a time, then each one's manifest. For one call of <see cref="SaveAsync"/>
/// at a time; one saver for a whole command, so that connections and the bandwidth limit are shared.
/// </summary>
public sealed class ModelSaver
{
    private readonly ModelSource _source;
    private readonly ModelStore _store;
    private readonly TransferOptions _options;
    private readonly RateLimiter _limiter;
    private readonly Leftovers _leftovers;

    /// <summary>Makes a saver; nothing is opened or written yet.</summary>
    public ModelSaver(ModelSource source, ModelStore store, TransferOptions options)
    {
        _source = source;
        _store = store;
        _options = options;
        _limiter = new RateLimiter(options.BandwidthLimit);
        _leftovers = new Leftovers(store, isPresentEnough: !options.Force && !options.Repair);
    }

    /// <summary>Saves models. What fails is told to the observer, and the others go on.</summary>
    /// <param name="requests">The models; all their blobs are one plan, in this order.</param>
    /// <param name="only">Only these blobs of each, and then no manifests; none for whole models.</param>
    /// <param name="observer">Asked before and told after each step.</param>
    /// <param name="cancellationToken">Stops the transfers; what has arrived is kept for a later call.</param>
    public async Task SaveAsync(IReadOnlyList<ModelRequest> requests, ICollection<BlobDigestPart> only, ISaveObserver observer, CancellationToken cancellationToken)
    {
        using FreshBlobs? fresh = _options.IsDryRun || only.Count > 0 ? null : new FreshBlobs(_store, _options.FreshInterval, observer.Tell);
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        ManifestWriter manifests = new(_store, _options.IsDryRun ? null : _leftovers, fresh, observer, isWanted: only.Count == 0, new RemovalWatch(_store, observer, _options.RemovalTime, stop.Token));
        SharedSchedule schedule = new(ScheduleOptions(), observer.Tell, _source.Trace, stop.Token);
        using LanePool pool = new(schedule, _limiter, stop);
        BlobCommit commit = new(_store, _options.ReadBack ? new ReadBack(observer.Tell) : null, observer.Tell);
        using CommitQueue commits = new(commit, stop.Token);
        SaveContext context = new(_source, _store, _options, schedule, pool, commit, commits, _leftovers, observer.Tell);
        using BlobFeeder feeder = new(context, observer, manifests.BlobEnded, stop);
        using ManifestQueue queue = new(requests, observer, stop.Token);
        try
        {
            // It waits for leave, for locks and for lanes, so it takes no thread of the pool.
            await BlockingWork.RunAsync(() =>
            {
                if (!_options.IsDryRun)
                {
                    BlobAside.PutBackAll(_store, observer.Tell);
                    BlobLinks.ClearAll(_store, observer.Tell, stop.Token);
                }

                Feed(queue, only, feeder, manifests, schedule);
            }).ConfigureAwait(false);
            await feeder.WhenEndedAsync().ConfigureAwait(false);
            await manifests.WhenWritten.ConfigureAwait(false);
        }
        catch (Exception e)
        {
#pragma warning disable VSTHRD103 // netstandard2.0 has no other way.
            stop.Cancel();
#pragma warning restore VSTHRD103
            await feeder.SettleAsync().ConfigureAwait(false);
            if (e is OperationCanceledException && feeder.Broken is { } broken && !cancellationToken.IsCancellationRequested)
            {
                ExceptionDispatchInfo.Capture(broken).Throw();
            }

            throw;
        }
        finally
        {
            // Whatever ended it: no file stays open, and nothing is written any more.
            await feeder.SettleAsync().ConfigureAwait(false);
            await BlockingWork.SettleAsync(manifests.WhenWritten).ConfigureAwait(false);

            // The youngest garbage of a call is some megabytes, and the collector lets tens of them gather: a session of many calls
            // would grow by each of its first ones. This takes a few milliseconds.
            GC.Collect(0);
        }
    }

    private static void Feed(ManifestQueue queue, ICollection<BlobDigestPart> only, BlobFeeder feeder, ManifestWriter manifests, SharedSchedule schedule)
    {
        foreach (ModelPlan model in queue.Take())
        {
            if (!manifests.Begin(model))
            {
                continue;
            }

            IReadOnlyList<Layer> layers = manifests.Choose(model, only);
            long pending = layers.Sum(layer => layer.Size);
            foreach (Layer layer in layers)
            {
                pending -= layer.Size;
                schedule.Pending = pending;
                model.Begin();
                feeder.Feed(new PlannedBlob(model, layer));
            }

            manifests.ListEnded(model);
        }

        feeder.FeedRest();
    }

    private ScheduleOptions ScheduleOptions() => new()
    {
        Lanes = _options.Connections,
        Buffers = (int)(Math.Min(_options.Window, MemoryLimit.Available / 4) / BufferPool.BufferSize),
        BufferSize = BufferPool.BufferSize,
        Cores = Environment.ProcessorCount,
        LargestLoss = _options.LargestLoss,
        CheckpointInterval = _options.CheckpointInterval,
        MaximumRetries = _source.MaximumRetries,
        RetryInterval = (long)_source.RetryInterval.TotalMilliseconds,
    };
}
