using System.Diagnostics;
using PSModel.Core.Faults;
using PSModel.Core.Names;
using PSModel.Core.Registry;
using PSModel.Core.Store;

namespace PSModel.Core.Transfer;

/// <summary>
/// Goes through the blobs of all models in order and begins each as soon as lanes could use it: present, wanted, held by
/// nobody else, then on its way. Blocks; for one thread.
/// </summary>
/// <param name="context">What the transfers share.</param>
/// <param name="observer">Asked for leave.</param>
/// <param name="ended">Told of the end of each blob, once.</param>
/// <param name="stop">Ends all transfers; cancelled here where one breaks for a reason that is no fault of its blob.</param>
internal sealed class BlobFeeder(SaveContext context, ISaveObserver observer, Action<PlannedBlob, BlobOutcome?, ModelFaultException?> ended, CancellationTokenSource stop) : IDisposable
{
    /// <summary>Blobs that may be open at a time, from their lock to their commit: each holds a few files.</summary>
    private const int MostSmall = 256;

    private const int MostLarge = 64;

    private static readonly TimeSpan HeldLook = TimeSpan.FromMilliseconds(200);

    private readonly CancellationToken _stopped = stop.Token;
    private readonly SemaphoreSlim _small = new(MostSmall);
    private readonly SemaphoreSlim _large = new(MostLarge);
    private readonly SemaphoreSlim _reading = new(1);

    /// <summary>Each repair needs room for a copy of its blob, and gives it back.</summary>
    private readonly SemaphoreSlim _mending = new(1);

    private readonly Dictionary<BlobDigest, Task> _underway = [];
    private readonly List<Task> _tasks = [];
    private readonly Stopwatch _sinceLook = Stopwatch.StartNew();
    private readonly List<PlannedBlob> _held = [];
    private readonly List<PlannedBlob> _following = [];
    private Exception? _broken;
    private bool _hasLocked;

    /// <summary>What ended all transfers, if it was no fault of a blob.</summary>
    public Exception? Broken => Volatile.Read(ref _broken);

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

    /// <summary>Begins what waited for others; returns when everything has begun.</summary>
    public void FeedRest()
    {
        while (_held.Count + _following.Count > 0)
        {
            TryHeld();
            _stopped.WaitHandle.WaitOne(HeldLook);
            _stopped.ThrowIfCancellationRequested();
        }
    }

    /// <summary>Ends when everything that was begun has ended.</summary>
    public async Task WhenEndedAsync()
    {
        try
        {
            await Task.WhenAll(_tasks).ConfigureAwait(false);
        }
        finally
        {
            // Whoever waits must not go on upon a thread that a transfer came to its end on, however it ended: the commit queue
            // would wait for itself.
            await Task.Yield();
        }
    }

    /// <summary>Waits until nothing is open any more, whatever became of it, and tidies up.</summary>
    public async Task SettleAsync()
    {
        await BlockingWork.SettleAsync(WhenEndedAsync()).ConfigureAwait(false);
        try
        {
            if (_hasLocked)
            {
                BlobLock.Sweep(context.Store);
            }
        }
        catch (Exception e) when (StoreFault.IsOfStore(e) || e is ModelFaultException)
        {
            // They are empty, and the next call removes them.
            context.Tell($"The locks in '{context.Store.Work}' could not be removed: {e.Message}");
        }
    }

    public void Dispose()
    {
        _small.Dispose();
        _large.Dispose();
        _reading.Dispose();
        _mending.Dispose();
    }

    private static bool IsSmall(PlannedBlob blob) => blob.Layer.Size <= Blocks.BlockLayout.BlockSize;

    private void Begin(PlannedBlob blob)
    {
        _stopped.ThrowIfCancellationRequested();
        bool isUnderway = _underway.TryGetValue(blob.Digest, out Task? other) && !other.IsCompleted;
        if (isUnderway || _held.Exists(held => held.Digest == blob.Digest))
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

        blob.WasThere = isRepair || (context.Options.Force && context.Store.BlobSize(blob.Digest) is not null);
        observer.BlobStarted(blob.Model.Manifest, blob.Layer, blob.Meter);
        if (isRepair)
        {
            // Disks are read one blob after the other; what comes after the reading holds up none.
            _reading.Wait(_stopped);
            Start(blob, null, () => RepairAsync(blob));
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
        SemaphoreSlim room = IsSmall(blob) ? _small : _large;
        room.Wait(_stopped);
        BlobLock? held = null;
        try
        {
            RefuseFolder(blob);
            StoreFault.Guard(context.Store, context.Store.Work, () => held = BlobLock.TryAcquire(context.Store, blob.Digest, isBrief: IsSmall(blob)));
        }
        catch (ModelFaultException fault)
        {
            room.Release();
            ended(blob, null, fault);
            return;
        }

        if (held is not null)
        {
            _hasLocked = true;
            context.Leftovers.Remove(context.Tell);
            blob.Meter.IsWaitingForOther = false;
            Start(blob, room, () => FetchAsync(blob, held));
            return;
        }

        room.Release();
        if (!blob.Meter.IsWaitingForOther)
        {
            blob.Meter.IsWaitingForOther = true;
            context.Tell($"Another process is fetching {blob.Digest} into this store; waiting for it.");
        }

        _held.Add(blob);
    }

    private void RefuseFolder(PlannedBlob blob)
    {
        string path = context.Store.BlobPath(blob.Digest);
        if (Directory.Exists(path))
        {
            throw new ModelFaultException(
                ModelFault.StoreWriteFailed,
                $"A folder stands at '{path}', where the blob belongs.",
                new FaultFacts { Digest = blob.Digest.ToString(), Path = path, Remedy = "Remove it, and run the same command again." });
        }
    }

    private void Start(PlannedBlob blob, SemaphoreSlim? room, Func<Task<BlobOutcome?>> run)
    {
        Task task = RunAsync(blob, room, run);
        _underway[blob.Digest] = task;
        _tasks.Add(task);
    }

    private async Task RunAsync(PlannedBlob blob, SemaphoreSlim? room, Func<Task<BlobOutcome?>> run)
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
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // What is no fault of a blob ends the call: the others stop as at Ctrl-C.
            Interlocked.CompareExchange(ref _broken, e, null);
            _ = Task.Run(stop.Cancel);
            throw;
        }
        finally
        {
            room?.Release();
        }

        ended(blob, outcome, fault);
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

            if (context.Options.Link && context.Source.TryFindFile(blob.Layer) is { } file && await TryLinkAsync(blob, file).ConfigureAwait(false))
            {
                blob.IsReadBack = true;
                return BlobOutcome.Linked;
            }

            await DownloadAsync(context, blob, _stopped).ConfigureAwait(false);
            blob.IsReadBack = context.Options.ReadBack;
            return BlobOutcome.Downloaded;
        }
    }

    private async Task<bool> TryLinkAsync(PlannedBlob blob, string file)
    {
        await _reading.WaitAsync(_stopped).ConfigureAwait(false);
        try
        {
            return await new LinkedBlob(context, blob, file).TryRunAsync(_stopped).ConfigureAwait(false);
        }
        finally
        {
            _reading.Release();
        }
    }

    /// <summary>Fetches all of a blob whose lock the caller holds.</summary>
    public static Task DownloadAsync(SaveContext context, PlannedBlob blob, CancellationToken cancellationToken) => IsSmall(blob)
        ? new SmallBlob(context, blob).RunAsync(cancellationToken)
        : new LargeBlob(context, blob).RunAsync(cancellationToken);

    private async Task<BlobOutcome?> RepairAsync(PlannedBlob blob)
    {
        BlobRepair repair = new(context, blob, _mending);
        return await repair.RunAsync(() => observer.ConfirmBlobAsync(blob.Model.Manifest, blob.Layer), whenRead: () => _reading.Release(), _stopped).ConfigureAwait(false);
    }
}
