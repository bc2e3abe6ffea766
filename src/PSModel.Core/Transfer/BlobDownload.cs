using System.Runtime.ExceptionServices;
using PSModel.Core.Faults;
using PSModel.Core.Hashing;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Registry;
using PSModel.Core.Store;
using PSModel.Core.Verification;

namespace PSModel.Core.Transfer;

/// <summary>
/// Brings one blob into the store: lanes → window → hash and disk → flush, size, digest, rename. For one run.
/// </summary>
internal sealed class BlobDownload
{
    private static readonly TimeSpan LockLook = TimeSpan.FromMilliseconds(200);

    private readonly RegistryClient _client;
    private readonly ModelStore _store;
    private readonly TransferOptions _options;
    private readonly RateLimiter _limiter;
    private readonly BufferPool _buffers;
    private readonly Manifest _manifest;
    private readonly Layer _layer;
    private readonly TransferMeter _meter;
    private readonly Action<string> _tell;
    private readonly CheckpointFile _checkpoints;

    public BlobDownload(ModelSaver saver, Manifest manifest, Layer layer, TransferMeter meter, Action<string> tell)
    {
        _client = saver.Client;
        _store = saver.Store;
        _options = saver.Options;
        _limiter = saver.Limiter;
        _buffers = saver.Buffers;
        _manifest = manifest;
        _layer = layer;
        _meter = meter;
        _tell = tell;
        _checkpoints = new CheckpointFile(_store, layer.Digest);
    }

    private bool IsPresent => !_options.Force && _store.Has(_layer);

    /// <summary>Runs the transfer to its end.</summary>
    /// <exception cref="ModelFaultException">It failed. The store is as it was, and what was received is kept beside it where
    /// it can be of use.</exception>
    public async Task<BlobOutcome> RunAsync(CancellationToken cancellationToken)
    {
        if (IsPresent)
        {
            return Present();
        }

        string path = _store.BlobPath(_layer.Digest);
        if (Directory.Exists(path))
        {
            throw new ModelFaultException(
                ModelFault.StoreWriteFailed,
                $"A folder stands at '{path}', where the blob belongs. Remove it.",
                new FaultFacts { Digest = _layer.Digest.ToString(), Path = path });
        }

        using BlobLock held = await AcquireAsync(cancellationToken).ConfigureAwait(false);

        // Whoever held the lock before may have fetched it.
        if (IsPresent)
        {
            return Present();
        }

        await FetchAsync(cancellationToken).ConfigureAwait(false);
        _meter.Phase = TransferPhase.Completed;
        return BlobOutcome.Downloaded;
    }

    private BlobOutcome Present()
    {
        _meter.BytesResumed = _layer.Size;
        _meter.Phase = TransferPhase.Completed;
        return BlobOutcome.AlreadyPresent;
    }

    private async Task<BlobLock> AcquireAsync(CancellationToken cancellationToken)
    {
        bool isTold = false;
        while (true)
        {
            BlobLock? held = null;
            StoreFault.Guard(_store, _store.Work, () => held = BlobLock.TryAcquire(_store, _layer.Digest));
            if (held is not null)
            {
                return held;
            }

            if (!isTold)
            {
                _tell($"Another process is fetching {_layer.Digest} into this store; waiting for it.");
                isTold = true;
            }

            await Task.Delay(LockLook, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task FetchAsync(CancellationToken cancellationToken)
    {
        Checkpoint? kept = FindCheckpoint();
        if (kept is null)
        {
            // One that does not fit now might fit again when the file has grown past it, with other bytes.
            StoreFault.Guard(_store, _store.Work, _checkpoints.Delete);
        }

        long start = kept?.Offset ?? 0;
        Sha256 sha = kept is null ? new Sha256() : Sha256.Restore(kept.State);
        _meter.BytesResumed = start;
        _meter.Phase = TransferPhase.Downloading;

        // Opening cuts off what is of no use, so the room is looked at afterwards.
        using PartialBlob file = Open(start);
        DiskSpace.Require(_store, _layer, start);
        _tell($"Fetching {_layer.Size - start} bytes of {_layer.Digest}; the SHA-256 is computed by {Sha256Engine.Best.Name}.");
        using (CheckpointKeeper keeper = new(file, _checkpoints))
        {
            await ReceiveAsync(sha, file, keeper, cancellationToken).ConfigureAwait(false);
        }

        StoreFault.Guard(_store, file.FilePath, () => FlushWhole(file));
        BlobDigest actual = BlobDigest.FromHash(sha.ComputeHash());
        if (actual != _layer.Digest)
        {
            file.Dispose();
            Discard();
            throw Mismatch(ModelFault.DigestMismatch, actual, $"The bytes that arrived for {_layer.Digest} have the digest {actual}.");
        }

        if (_options.ReadBack)
        {
            await ReadBackAsync(file, cancellationToken).ConfigureAwait(false);
        }

        _meter.Phase = TransferPhase.Committing;
        StoreFault.Guard(_store, _store.BlobPath(_layer.Digest), file.Commit);
        StoreFault.Guard(_store, _store.Work, _checkpoints.Delete);
    }

    /// <summary>Everything was written, so the file has the blob's size, unless somebody else wrote to it too.</summary>
    private void FlushWhole(PartialBlob file)
    {
        file.FlushToDisk();
        if (file.Length != _layer.Size)
        {
            throw new IOException($"The file has {file.Length} bytes in place of {_layer.Size}; another program changed it.");
        }
    }

    private Checkpoint? FindCheckpoint()
    {
        Checkpoint? kept = _checkpoints.TryRead(_layer.Size, PartialBlob.LengthOf(_store, _layer.Digest), out string? problem);
        if (kept is not null)
        {
            _tell($"Going on with {_layer.Digest} from byte {kept.Offset} of {kept.Size}, kept from an earlier call.");
        }
        else if (problem is not null)
        {
            _tell($"The checkpoint of {_layer.Digest} cannot be used ({problem}); starting from the beginning.");
        }

        return kept;
    }

    private PartialBlob Open(long start)
    {
        PartialBlob? file = null;
        StoreFault.Guard(_store, _store.Work, () => file = new PartialBlob(_store, _layer.Digest, start));
        return file!;
    }

    /// <summary>Receives what is missing. However it ends, what arrived in order is in the file, and in a checkpoint unless
    /// the file is complete.</summary>
    private async Task ReceiveAsync(Sha256 sha, PartialBlob file, CheckpointKeeper keeper, CancellationToken cancellationToken)
    {
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using OrderedSink sink = new(sha, file, _options.CheckpointInterval);
        using BlobSource source = _client.OpenBlob(_manifest, _layer);
        TransferContext context = new(_layer, source, _client.Retries, _limiter, _buffers, _meter, _client.Trace);
        ReceiveWindow window = new(sha.Length, _layer.Size, _options, sink.Take);
        Exception? failure = null;

        void Fail(Exception e)
        {
            Interlocked.CompareExchange(ref failure, e, null);

            // Not here: what waits for the token would run on this thread of the sink, and in the end wait for it.
            ThreadPool.QueueUserWorkItem(_ => CancelIfAlive(stop));
        }

        sink.Failed += Fail;
        keeper.Failed += Fail;
        keeper.Kept += window.MarkDurable;
        sink.Released += chunk =>
        {
            _buffers.Return(chunk.Buffer);
            if (chunk.HashState is { } state)
            {
                keeper.Request(new Checkpoint(_layer.Size, chunk.End, state, source.Validator));
            }

            window.Release(chunk.Length);
        };

        try
        {
            await new LaneController(context, window, sink, _options).RunAsync(stop.Token).ConfigureAwait(false);
            sink.Drain();
            keeper.Stop();

            // A flush tells of lost data once and never again: a later one that succeeds means nothing.
            if (Volatile.Read(ref failure) is { } lost)
            {
                ExceptionDispatchInfo.Capture(lost).Throw();
            }
        }
        catch (Exception e) when (failure is not null || StoreFault.IsOfStore(e))
        {
            throw StoreFault.From(_store, file.FilePath, failure ?? e);
        }
        catch
        {
            KeepWhatArrived(sha, sink, file, keeper, source.Validator);
            throw;
        }
        finally
        {
            keeper.Stop();
        }
    }

    private static void CancelIfAlive(CancellationTokenSource stop)
    {
        try
        {
            stop.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The transfer has ended meanwhile.
        }
    }

    private void KeepWhatArrived(Sha256 sha, OrderedSink sink, PartialBlob file, CheckpointKeeper keeper, string? validator)
    {
        try
        {
            sink.Drain();
            keeper.Stop();
            keeper.Keep(new Checkpoint(_layer.Size, sha.Length, sha.Export(), validator));
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            // The transfer failed already, and for a reason of its own; an earlier checkpoint is still there.
            _tell($"What arrived last for '{file.FilePath}' could not be kept: {e.Message}");
        }
    }

    /// <summary>Reads the file, closed and flushed but not yet visible, and compares what comes back with what went in.</summary>
    private async Task ReadBackAsync(PartialBlob file, CancellationToken cancellationToken)
    {
        _meter.Phase = TransferPhase.Verifying;
        file.Dispose();
        BlobDigest? read = null;
        string what;
        try
        {
            BlobReading reading = await BlobReader.ReadAsync(file.FilePath, _meter.Verify, cancellationToken).ConfigureAwait(false);
            read = reading.Digest;
            what = $"gives {read}";
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            what = $"fails ({e.Message})";
        }

        if (read == _layer.Digest)
        {
            return;
        }

        Discard();
        throw Mismatch(
            ModelFault.ReadBackMismatch,
            read,
            $"The bytes of {_layer.Digest} arrived right, and reading them back from '{_store.Root}' {what}: the storage, or the way it is read, is at fault.");
    }

    /// <summary>Bytes that are known to be wrong, or cannot be told from wrong ones, are no use to a later call.</summary>
    private void Discard() => StoreFault.Guard(_store, _store.Work, () =>
    {
        _checkpoints.Delete();
        PartialBlob.Delete(_store, _layer.Digest);
    });

    private ModelFaultException Mismatch(ModelFault fault, BlobDigest? actual, string message) => new(
        fault,
        message,
        new FaultFacts
        {
            Name = _manifest.Name.Shortest,
            Digest = _layer.Digest.ToString(),
            ActualDigest = actual?.ToString(),
            Path = _store.BlobPath(_layer.Digest),
            ExpectedSize = _layer.Size,
        });
}
