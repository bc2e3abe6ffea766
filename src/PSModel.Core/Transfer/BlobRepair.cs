using PSModel.Core.Blocks;
using PSModel.Core.Diagnosis;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Metering;
using PSModel.Core.Names;
using PSModel.Core.Reading;
using PSModel.Core.Store;

namespace PSModel.Core.Transfer;

/// <summary>
/// Reads a blob of the store, and where it is wrong replaces it by a right one: by its block map where that is right, else all
/// of it. So a crash at any moment leaves the old blob or the repaired one. For one run.
/// </summary>
/// <param name="context">What the transfers share.</param>
/// <param name="planned">The blob.</param>
/// <param name="mending">Entered while the blob is replaced, and not while another process is waited for.</param>
internal sealed class BlobRepair(SaveContext context, PlannedBlob planned, SemaphoreSlim mending)
{
    /// <summary>Where more than this part is wrong, all of it is fetched: over many connections, and with resume.</summary>
    private const double LargestPart = 0.5;

    private readonly ModelStore _store = context.Store;
    private readonly Layer _layer = planned.Layer;
    private readonly TransferMeter _meter = planned.Meter;
    private readonly string _path = context.Store.BlobPath(planned.Digest);
    private readonly BlockMapFile _maps = new(context.Store, planned.Digest);

    /// <summary>Runs it to its end.</summary>
    /// <param name="confirm">Asked before anything is fetched or written.</param>
    /// <param name="whenRead">Told when the blob was read; what follows is for the network, or for another process.</param>
    /// <param name="cancellationToken">Stops it; the store is as it was then.</param>
    /// <returns>What became of the blob; <see langword="null"/> where leave was not given.</returns>
    /// <exception cref="ModelFaultException">It failed; the store is as it was.</exception>
    public async Task<BlobOutcome?> RunAsync(Func<Task<bool>> confirm, Action whenRead, CancellationToken cancellationToken)
    {
        try
        {
            return await RepairAsync(confirm, whenRead, cancellationToken).ConfigureAwait(false);
        }
        catch (HeldFileException e)
        {
            throw StoreFault.From(_store, _path, e);
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            throw Unreadable(e.Message, e);
        }
    }

    private async Task<BlobOutcome?> RepairAsync(Func<Task<bool>> confirm, Action whenRead, CancellationToken cancellationToken)
    {
        BlockMap? map = ReadMap();
        ReadPass pass;
        try
        {
            pass = await ReadAsync(map, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            whenRead();
        }

        if (pass.Result!.IsRight)
        {
            return FoundRight();
        }

        if (!await confirm().ConfigureAwait(false))
        {
            return null;
        }

        bool hasWaited = false;
        using BlobLock held = await BlobLock.AcquireAsync(_store, _layer.Digest, TellOfWait, cancellationToken).ConfigureAwait(false);
        _meter.IsWaitingForOther = false;
        context.Leftovers.Remove(context.Tell);
        await mending.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (hasWaited && _store.BlobSize(_layer.Digest) is not null)
            {
                // Whoever held the lock may have repaired it.
                map = ReadMap();
                pass = await ReadAsync(map, cancellationToken).ConfigureAwait(false);
                if (pass.Result!.IsRight)
                {
                    return FoundRight();
                }
            }

            await MendAsync(map, pass, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            mending.Release();
        }

        _meter.Phase = TransferPhase.Completed;
        return BlobOutcome.Repaired;

        void TellOfWait(string message)
        {
            _meter.IsWaitingForOther = hasWaited = true;
            context.Tell(message);
        }
    }

    /// <summary>The blob has its digest, so what the manifest says of its size can be wrong alone.</summary>
    private BlobOutcome FoundRight()
    {
        long? size = _store.BlobSize(_layer.Digest);
        if (size != _layer.Size)
        {
            FaultFacts facts = Facts(size);
            facts.Remedy = "The file is right. Only the model's owner can mend its manifest.";
            throw new ModelFaultException(
                ModelFault.SizeMismatch,
                $"The manifest names {ByteText.Exact(_layer.Size)} for {_layer.Digest}, and the blob of that digest has {ByteText.Exact(size ?? 0)}: the manifest is wrong.",
                facts);
        }

        context.Tell($"{_layer.Digest} is right in the store.");
        planned.IsReadBack = true;
        _meter.BytesResumed = _layer.Size;
        _meter.Phase = TransferPhase.Completed;
        return BlobOutcome.AlreadyPresent;
    }

    private BlockMap? ReadMap() => _maps.TryRead() is { } map && map.Layout.Size == _layer.Size ? map : null;

    private Task<ReadPass> ReadAsync(BlockMap? map, CancellationToken cancellationToken) =>
        RepairReading.RunAsync(_path, _layer.Digest, map?.Layout ?? new BlockLayout(Math.Min(_layer.Size, _store.BlobSize(_layer.Digest) ?? 0), []), _meter, cancellationToken);

    private async Task MendAsync(BlockMap? map, ReadPass pass, CancellationToken cancellationToken)
    {
        if (map is null)
        {
            context.Tell($"{_layer.Digest} is wrong, and there is no block map to tell where; all of it is fetched.");
        }
        else if (WrongBytes(map, pass) is var wrong && wrong == 0)
        {
            context.Tell($"{_layer.Digest} is wrong, and its block map knows it as it is; all of it is fetched.");
        }
        else if (wrong > BlockLayout.BlockSize && wrong > _layer.Size * LargestPart)
        {
            context.Tell($"More than half of {_layer.Digest} is wrong; all of it is fetched.");
        }
        else if (await new BlobPatch(context, planned, map, pass.Mode).TryRunAsync(cancellationToken).ConfigureAwait(false))
        {
            planned.IsReadBack = true;
            return;
        }

        // What a repair that was killed left takes room that the download may need.
        StoreFault.Guard(_store, _store.Work, () => DurableFile.Delete(BlobPatch.CopyPath(_store, _layer.Digest)));
        _meter.StartOver();
        await BlobFeeder.DownloadAsync(context, planned, cancellationToken).ConfigureAwait(false);
        planned.IsReadBack = context.Options.ReadBack;
        if (map is not null && _layer.Size <= BlockLayout.BlockSize)
        {
            // A download of a small blob makes no map in place of the wrong one.
            StoreFault.Guard(_store, _store.Work, _maps.Delete);
        }
    }

    private static long WrongBytes(BlockMap map, ReadPass pass) =>
        Enumerable.Range(0, map.Checksums.Count).Where(index => pass.Checksums[index] != map.Checksums[index]).Sum(index => (long)map.Layout.Blocks[index].Length);

    private ModelFaultException Unreadable(string why, Exception? inner) =>
        new(ModelFault.BlobUnreadable, $"'{_path}' cannot be read: {why}", Facts(null), inner);

    private FaultFacts Facts(long? size) => new()
    {
        Name = planned.Name.Shortest,
        Digest = _layer.Digest.ToString(),
        Path = _path,
        ExpectedSize = _layer.Size,
        ActualSize = size,
    };
}
