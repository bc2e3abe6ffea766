using System.Diagnostics;
using PSModel.Core.Faults;
using PSModel.Core.Names;
using PSModel.Core.Store;

namespace PSModel.Core.Transfer;

/// <summary>
/// Goes through the blobs of all models in order and begins each as soon as lanes could use it: present, wanted, held by
/// nobody else, then on its way. Blocks; for one thread.
/// </summary>
internal sealed class BlobFeeder(SaveContext context, ISaveObserver observer, Action<PlannedBlob, BlobOutcome?, ModelFaultException?> ended, CancellationToken cancellationToken)
{
    private static readonly TimeSpan HeldLook = TimeSpan.FromMilliseconds(200);

    private readonly Dictionary<BlobDigest, Task> _underway = [];
    private readonly Stopwatch _sinceLook = Stopwatch.StartNew();
    private readonly List<PlannedBlob> _held = [];
    private readonly HashSet<BlobDigest> _locked = [];
    private readonly List<PlannedBlob> _following = [];

    /// <summary>Begins a blob, when its turn has come.</summary>
    public void Feed(PlannedBlob blob)
    {
        while (!context.Schedule.WaitUntilBlobIsWanted(HeldLook))
        {
            TryHeld();
        }

        TryHeld();
        Begin(blob);
    }

    /// <summary>Waits for everything that was begun.</summary>
    public async Task FinishAsync()
    {
        while (_held.Count + _following.Count > 0)
        {
            TryHeld();
            await Task.Delay(HeldLook, cancellationToken).ConfigureAwait(false);
        }

        await Task.WhenAll(_underway.Values).ConfigureAwait(false);
    }

    /// <summary>Waits until nothing is open any more, whatever became of it, and tidies up.</summary>
    public async Task SettleAsync()
    {
        await Task.WhenAll(_underway.Values).ContinueWith(static done => _ = done.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default).ConfigureAwait(false);
        try
        {
            BlobLock.Sweep(context.Store, _locked);
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            // They are empty, and the next call for the same blobs removes them.
            context.Tell($"The locks in '{context.Store.Work}' could not be removed: {e.Message}");
        }
    }

    private static bool IsSmall(PlannedBlob blob) => blob.Layer.Size <= Blocks.BlockLayout.BlockSize;

    private void Begin(PlannedBlob blob)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (_underway.TryGetValue(blob.Digest, out Task? other) && !other.IsCompleted)
        {
            // Another model of the call needs the same blob.
            _following.Add(blob);
            return;
        }

        bool isPresent = !context.Options.Force && context.Store.Has(blob.Layer);
        bool isRepair = context.Options.Repair && !context.Options.Force && context.Store.BlobSize(blob.Digest) is not null;
        if (!isPresent && !isRepair && !observer.ConfirmBlobAsync(blob.Model.Manifest, blob.Layer).GetAwaiter().GetResult())
        {
            ended(blob, null, null);
            return;
        }

        observer.BlobStarted(blob.Model.Manifest, blob.Layer, blob.Meter);
        if (isRepair)
        {
            // One after the other: each is a reading of the disk.
            Start(blob, () => RepairAsync(blob)).GetAwaiter().GetResult();
        }
        else if (isPresent)
        {
            ended(blob, blob.FoundPresent(), null);
        }
        else
        {
            TryFetch(blob);
        }
    }

    private void TryHeld()
    {
        if (_sinceLook.Elapsed < HeldLook)
        {
            return;
        }

        _sinceLook.Restart();
        PlannedBlob[] held = [.. _held];
        _held.Clear();
        foreach (PlannedBlob blob in held)
        {
            TryFetch(blob);
        }

        PlannedBlob[] following = [.. _following];
        _following.Clear();
        foreach (PlannedBlob blob in following)
        {
            Begin(blob);
        }
    }

    /// <summary>Fetches a blob that nobody else fetches; one that somebody does waits its turn, and others do not wait for it.</summary>
    private void TryFetch(PlannedBlob blob)
    {
        try
        {
            RefuseFolder(blob);
            BlobLock? held = null;
            StoreFault.Guard(context.Store, context.Store.Work, () => held = BlobLock.TryAcquire(context.Store, blob.Digest, isFileLeft: IsSmall(blob)));
            bool wasTold = blob.Meter.IsWaitingForOther;
            blob.Meter.IsWaitingForOther = held is null;
            if (held is not null)
            {
                if (IsSmall(blob))
                {
                    _locked.Add(blob.Digest);
                }

                Start(blob, () => FetchAsync(blob, held));
                return;
            }

            if (!wasTold)
            {
                context.Tell($"Another process is fetching {blob.Digest} into this store; waiting for it.");
            }

            _held.Add(blob);
        }
        catch (ModelFaultException fault)
        {
            ended(blob, null, fault);
        }
    }

    private void RefuseFolder(PlannedBlob blob)
    {
        string path = context.Store.BlobPath(blob.Digest);
        if (Directory.Exists(path))
        {
            throw new ModelFaultException(
                ModelFault.StoreWriteFailed,
                $"A folder stands at '{path}', where the blob belongs. Remove it.",
                new FaultFacts { Digest = blob.Digest.ToString(), Path = path });
        }
    }

    private Task Start(PlannedBlob blob, Func<Task<BlobOutcome?>> run) => _underway[blob.Digest] = RunAsync(blob, run);

    private async Task RunAsync(PlannedBlob blob, Func<Task<BlobOutcome?>> run)
    {
        BlobOutcome? outcome = null;
        ModelFaultException? fault = null;
        try
        {
            outcome = await run().ConfigureAwait(false);
        }
        catch (ModelFaultException e)
        {
            fault = e;
        }

        ended(blob, outcome, fault);

        // Whoever waits for the task must not go on upon a thread that this transfer came to its end on.
        await Task.Yield();
    }

    private async Task<BlobOutcome?> FetchAsync(PlannedBlob blob, BlobLock held)
    {
        using (held)
        {
            // Whoever held the lock before may have fetched it.
            if (!context.Options.Force && context.Store.Has(blob.Layer))
            {
                return blob.FoundPresent();
            }

            await DownloadAsync(context, blob, cancellationToken).ConfigureAwait(false);
            blob.IsReadBack = context.Options.ReadBack;
            return BlobOutcome.Downloaded;
        }
    }

    /// <summary>Fetches all of a blob whose lock the caller holds.</summary>
    public static Task DownloadAsync(SaveContext context, PlannedBlob blob, CancellationToken cancellationToken) => IsSmall(blob)
        ? new SmallBlob(context, blob).RunAsync(cancellationToken)
        : new LargeBlob(context, blob).RunAsync(cancellationToken);

    private async Task<BlobOutcome?> RepairAsync(PlannedBlob blob)
    {
        BlobRepair repair = new(context, blob);
        return await repair.RunAsync(() => observer.ConfirmBlobAsync(blob.Model.Manifest, blob.Layer), cancellationToken).ConfigureAwait(false);
    }
}
