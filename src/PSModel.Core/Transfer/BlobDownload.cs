using System.Runtime.ExceptionServices;
using PSModel.Core.Blocks;
using PSModel.Core.Faults;
using PSModel.Core.Hashing;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Reading;
using PSModel.Core.Registry;
using PSModel.Core.Store;
using PSModel.Core.Verification;

namespace PSModel.Core.Transfer;

/// <summary>
/// Brings one blob into the store: lanes → window → hash and disk → flush, size, digest, rename. For one run.
/// </summary>
internal sealed class BlobDownload
{
    private readonly RegistryClient _client;
    private readonly ModelStore _store;
    private readonly TransferOptions _options;
    private readonly RateLimiter _limiter;
    private readonly BufferPool _buffers;
    private readonly Manifest _manifest;
    private readonly Layer _layer;
    private readonly bool _isForced;
    private readonly TransferMeter _meter;
    private readonly Action<string> _tell;
    private readonly CheckpointFile _checkpoints;

    /// <param name="saver">The call that it belongs to.</param>
    /// <param name="manifest">The model.</param>
    /// <param name="layer">The blob.</param>
    /// <param name="isForced">Fetch it also where the store has it.</param>
    /// <param name="meter">Counts what is done.</param>
    /// <param name="tell">Told the story.</param>
    public BlobDownload(ModelSaver saver, Manifest manifest, Layer layer, bool isForced, TransferMeter meter, Action<string> tell)
    {
        _client = saver.Client;
        _store = saver.Store;
        _options = saver.Options;
        _limiter = saver.Limiter;
        _buffers = saver.Buffers;
        _manifest = manifest;
        _layer = layer;
        _isForced = isForced;
        _meter = meter;
        _tell = tell;
        _checkpoints = new CheckpointFile(_store, layer.Digest);
    }

    private bool IsPresent => !_isForced && _store.Has(_layer);

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

        using BlobLock held = await BlobLock.AcquireAsync(_store, _layer.Digest, _tell, cancellationToken).ConfigureAwait(false);

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

    private async Task FetchAsync(CancellationToken cancellationToken)
    {
        Checkpoint? kept = FindCheckpoint();
        if (kept is null)
        {
            // One that does not fit now might fit again when the file has grown past it, with other bytes.
            StoreFault.Guard(_store, _store.Work, _checkpoints.Delete);
        }

        long start = kept?.Offset ?? 0;
        BlobHash hash = kept is null ? new BlobHash() : GoOn(kept);
        _meter.BytesResumed = start;
        _meter.Phase = TransferPhase.Downloading;

        // Opening cuts off what is of no use, so the room is looked at afterwards.
        using PartialBlob file = Open(start);
        using PartialBlockMap? map = OpenMap(hash, kept);
        DiskSpace.Require(_store, _layer, start);
        _tell($"Fetching {_layer.Size - start} bytes of {_layer.Digest}; the SHA-256 is computed by {Sha256Engine.Best.Name}.");
        using (CheckpointKeeper keeper = new(file, map, _checkpoints))
        {
            await ReceiveAsync(hash, file, keeper, cancellationToken).ConfigureAwait(false);
        }

        StoreFault.Guard(_store, file.FilePath, () => FlushWhole(file));
        BlobDigest actual = BlobDigest.FromHash(hash.Sha.ComputeHash());
        if (actual != _layer.Digest)
        {
            file.Dispose();
            map?.Dispose();
            Discard();
            throw Mismatch(ModelFault.DigestMismatch, actual, $"The bytes that arrived for {_layer.Digest} have the digest {actual}.");
        }

        if (_options.ReadBack)
        {
            await ReadBackAsync(file, map, cancellationToken).ConfigureAwait(false);
        }

        _meter.Phase = TransferPhase.Committing;
        KeepMap(hash);
        StoreFault.Guard(_store, _store.BlobPath(_layer.Digest), file.Commit);
        map?.Dispose();
        StoreFault.Guard(_store, _store.Work, DeleteTraces);
    }

    private BlobHash GoOn(Checkpoint kept)
    {
        BlockMapBuilder? blocks = PartialBlockMap.TryRestore(_store, _layer.Digest, kept.State.Blocks, kept.Offset);
        if (blocks is null)
        {
            _tell($"The block map of {_layer.Digest} does not fit the checkpoint; the blob will have none.");
        }

        return new BlobHash(Sha256.Restore(kept.State.Sha), blocks);
    }

    private PartialBlockMap? OpenMap(BlobHash hash, Checkpoint? kept)
    {
        PartialBlockMap? map = null;
        StoreFault.Guard(_store, _store.Work, () => map = hash.Blocks is null ? null : new PartialBlockMap(_store, _layer.Digest, hash.Blocks, kept?.State.Blocks));
        return map;
    }

    /// <summary>The bytes are right, so their map is, whatever becomes of the file. A blob without one is as good to use.</summary>
    private void KeepMap(BlobHash hash)
    {
        try
        {
            if (hash.Blocks is not null)
            {
                new BlockMapFile(_store, _layer.Digest).Write(hash.Blocks.Finish());
            }
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            _tell($"The block map of {_layer.Digest} could not be written: {e.Message}");
        }
    }

    /// <summary>Removes what only a later call would need.</summary>
    private void DeleteTraces()
    {
        _checkpoints.Delete();
        PartialBlockMap.Delete(_store, _layer.Digest);
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
    private async Task ReceiveAsync(BlobHash hash, PartialBlob file, CheckpointKeeper keeper, CancellationToken cancellationToken)
    {
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using OrderedSink sink = new(hash, file, _options.CheckpointInterval);
        using BlobSource source = _client.OpenBlob(_manifest, _layer);
        TransferContext context = new(_layer, source, _client.Retries, _limiter, _buffers, _meter, _client.Trace);
        ReceiveWindow window = new(hash.Length, _layer.Size, _options, sink.Take);
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
            KeepWhatArrived(hash, sink, file, keeper, source.Validator);
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

    private void KeepWhatArrived(BlobHash hash, OrderedSink sink, PartialBlob file, CheckpointKeeper keeper, string? validator)
    {
        try
        {
            sink.Drain();
            keeper.Stop();
            keeper.Keep(new Checkpoint(_layer.Size, hash.Length, hash.Export(), validator));
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            // The transfer failed already, and for a reason of its own; an earlier checkpoint is still there.
            _tell($"What arrived last for '{file.FilePath}' could not be kept: {e.Message}");
        }
    }

    /// <summary>Reads the file, closed and flushed but not yet visible, and compares what comes back with what went in.</summary>
    private async Task ReadBackAsync(PartialBlob file, PartialBlockMap? map, CancellationToken cancellationToken)
    {
        _meter.Phase = TransferPhase.Verifying;
        file.Dispose();
        BlobDigest? read = null;
        string what;
        try
        {
            BlobReading reading = await BlobReader.ReadAsync(file.FilePath, ReadMode.Buffered, _meter.Verify, cancellationToken).ConfigureAwait(false);
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

        map?.Dispose();
        Discard();
        throw Mismatch(
            ModelFault.ReadBackMismatch,
            read,
            $"The bytes of {_layer.Digest} arrived right, and reading them back from '{_store.Root}' {what}: the storage, or the way it is read, is at fault.");
    }

    /// <summary>Bytes that are known to be wrong, or cannot be told from wrong ones, are no use to a later call. The files are
    /// closed by now: Windows removes none that is open.</summary>
    private void Discard() => StoreFault.Guard(_store, _store.Work, () =>
    {
        DeleteTraces();
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
