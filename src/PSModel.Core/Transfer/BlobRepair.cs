using PSModel.Core.Blocks;
using PSModel.Core.Diagnosis;
using PSModel.Core.Faults;
using PSModel.Core.Lanes;
using PSModel.Core.Manifests;
using PSModel.Core.Metering;
using PSModel.Core.Names;
using PSModel.Core.Reading;
using PSModel.Core.Registry;
using PSModel.Core.Sinks;
using PSModel.Core.Store;

namespace PSModel.Core.Transfer;

/// <summary>
/// Reads a blob of the store, and where it is wrong makes a right copy of it: what is good is copied block by block, what is
/// not is fetched, each block is checked against the map, and the copy as a whole before it takes the blob's name. So a crash
/// at any moment leaves the old blob or the repaired one. For one run.
/// </summary>
internal sealed class BlobRepair(SaveContext context, PlannedBlob planned)
{
    /// <summary>Where more than this part is wrong, all of it is fetched: over many connections, and with resume.</summary>
    private const double LargestPart = 0.5;

    private readonly ModelStore _store = context.Store;
    private readonly Layer _layer = planned.Layer;
    private readonly TransferMeter _meter = planned.Meter;
    private readonly string _path = context.Store.BlobPath(planned.Digest);
    private readonly string _copy = Path.Combine(context.Store.Work, $"{planned.Digest.FileName}.repair");
    private readonly List<DamagePattern> _found = [];

    /// <summary>Runs it to its end.</summary>
    /// <param name="confirm">Asked before anything is fetched or written.</param>
    /// <param name="cancellationToken">Stops it; the store is as it was then.</param>
    /// <returns>What became of the blob; <see langword="null"/> where leave was not given.</returns>
    /// <exception cref="ModelFaultException">It failed; the store is as it was.</exception>
    public async Task<BlobOutcome?> RunAsync(Func<Task<bool>> confirm, CancellationToken cancellationToken)
    {
        try
        {
            return await RepairAsync(confirm, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(e.Message, e);
        }
    }

    private async Task<BlobOutcome?> RepairAsync(Func<Task<bool>> confirm, CancellationToken cancellationToken)
    {
        BlockMap? map = new BlockMapFile(_store, _layer.Digest).TryRead();
        map = map?.Layout.Size == _layer.Size ? map : null;
        ReadPass pass = await ReadAsync(_path, map?.Layout ?? new BlockLayout(_layer.Size, []), cancellationToken).ConfigureAwait(false);
        if (pass.Result!.IsRight)
        {
            context.Tell($"{_layer.Digest} is right in the store.");
            planned.IsReadBack = true;
            _meter.BytesResumed = _layer.Size;
            _meter.Phase = TransferPhase.Completed;
            return BlobOutcome.AlreadyPresent;
        }

        if (!await confirm().ConfigureAwait(false))
        {
            return null;
        }

        if (map is not null && WrongBytes(map, pass) is long wrong && (wrong <= _layer.Size * LargestPart || wrong <= BlockLayout.BlockSize))
        {
            await PatchAsync(map, pass.Mode, cancellationToken).ConfigureAwait(false);
            planned.IsReadBack = true;
        }
        else
        {
            context.Tell(map is null
                ? $"{_layer.Digest} is wrong, and there is no block map to tell where; all of it is fetched."
                : $"More than half of {_layer.Digest} is wrong; all of it is fetched.");
            StoreFault.Guard(_store, _store.Work, () => DurableFile.Delete(_copy));
            await FetchWholeAsync(cancellationToken).ConfigureAwait(false);
            planned.IsReadBack = context.Options.ReadBack;
        }

        _meter.Phase = TransferPhase.Completed;
        return BlobOutcome.Repaired;
    }

    private static long WrongBytes(BlockMap map, ReadPass pass) =>
        Enumerable.Range(0, map.Checksums.Count).Where(index => pass.Checksums[index] != map.Checksums[index]).Sum(index => (long)map.Layout.Blocks[index].Length);

    /// <summary>Reads a file whole. Reads past the cache come from where the bytes are, and stay right where others do not; but a
    /// read that fails in this mode may succeed in the common one.</summary>
    private async Task<ReadPass> ReadAsync(string path, BlockLayout layout, CancellationToken cancellationToken)
    {
        ReadPass pass = await ReadAsync(path, ReadMode.Unbuffered, layout, cancellationToken).ConfigureAwait(false);
        if (!pass.IsWhole)
        {
            pass = await ReadAsync(path, ReadMode.Buffered, layout, cancellationToken).ConfigureAwait(false);
        }

        return pass.IsRead || FileFacts.TryRead(path) is { Size: 0 } ? pass : throw Unreadable(pass.Result!.Error ?? string.Empty, null);
    }

    private async Task<ReadPass> ReadAsync(string path, ReadMode mode, BlockLayout layout, CancellationToken cancellationToken)
    {
        _meter.Phase = TransferPhase.Verifying;
        _meter.BeginVerify();
        ReadPass pass = new(path, mode, wantsColdCache: mode == ReadMode.Buffered, layout);
        await pass.RunAsync(_layer.Digest, (_, _, _) => { }, _meter.Verify, cancellationToken).ConfigureAwait(false);
        return pass;
    }

    private async Task PatchAsync(BlockMap map, ReadMode mode, CancellationToken cancellationToken)
    {
        using BlobLock held = await BlobLock.AcquireAsync(_store, _layer.Digest, context.Tell, cancellationToken).ConfigureAwait(false);

        // What a repair that was killed left takes room that this one may need.
        StoreFault.Guard(_store, _store.Work, () => DurableFile.Delete(_copy));
        DiskSpace.Require(_store, _layer, kept: 0);
        _meter.Phase = TransferPhase.Downloading;
        try
        {
            using (FileStream copy = OpenCopy())
            {
                List<int> wrong = await CopyAsync(map, mode, copy, cancellationToken).ConfigureAwait(false);
                context.Tell($"{wrong.Count} of the {map.Checksums.Count} blocks of {_layer.Digest} are wrong; {wrong.Sum(index => (long)map.Layout.Blocks[index].Length)} bytes are fetched.");
                await FetchAsync(map, wrong, mode, copy, cancellationToken).ConfigureAwait(false);
                StoreFault.Guard(_store, _copy, () => copy.Flush(flushToDisk: true));
            }

            ReadPass pass = await ReadAsync(_copy, map.Layout, cancellationToken).ConfigureAwait(false);
            if (!pass.Result!.IsRight)
            {
                throw new ModelFaultException(
                    ModelFault.ReadBackMismatch,
                    $"Every block of {_layer.Digest} was checked, and reading the repaired copy gives another digest: the storage, or the way it is read, is at fault.",
                    Facts(pass.Result.Digest));
            }

            _meter.Phase = TransferPhase.Committing;
            StoreFault.Guard(_store, _path, () => DurableFile.Replace(_copy, _path));
            context.Tell($"What was wrong with {_layer.Digest}: {string.Join(", ", _found.GroupBy(pattern => pattern).Select(group => $"{group.Count()} × {group.Key}"))}.");
        }
        finally
        {
            DeleteCopy();
        }
    }

    /// <summary>A failure to do so must not hide the one that led here.</summary>
    private void DeleteCopy()
    {
        try
        {
            DurableFile.Delete(_copy);
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            context.Tell($"'{_copy}' could not be removed: {e.Message}");
        }
    }

    private FileStream OpenCopy()
    {
        FileStream? copy = null;
        StoreFault.Guard(_store, _copy, () => copy = WorkFile.Create(_store, _copy));
        return copy!;
    }

    /// <summary>Copies what is right.</summary>
    /// <returns>The blocks that are not.</returns>
    private async Task<List<int>> CopyAsync(BlockMap map, ReadMode mode, FileStream copy, CancellationToken cancellationToken)
    {
        byte[] scratch = new byte[BlockLayout.BlockSize];
        HashSet<int> wrong = [.. Enumerable.Range(0, map.Checksums.Count)];
        using BlobFile file = BlobFile.Open(_path, mode);
        await FileScan.RunAsync(
            file,
            (offset, bytes) => map.Layout.Split(offset, bytes, (index, checksum, content) =>
            {
                Block block = map.Layout.Blocks[index];
                if (content.Length == block.Length && checksum == map.Checksums[index])
                {
                    content.CopyTo(scratch);
                    StoreFault.Guard(_store, _copy, () => Write(copy, block.Start, scratch, block.Length));
                    _meter.BytesResumed += block.Length;
                    wrong.Remove(index);
                }
            }),
            onError: (_, _) => { },
            cancellationToken).ConfigureAwait(false);
        return [.. wrong.OrderBy(index => index)];
    }

    private async Task FetchWholeAsync(CancellationToken cancellationToken)
    {
        using BlobLock held = await BlobLock.AcquireAsync(_store, _layer.Digest, context.Tell, cancellationToken).ConfigureAwait(false);
        await BlobFeeder.DownloadAsync(context, planned, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Fetches the wrong blocks, neighbours with one request, and looks how the old ones differ.</summary>
    private async Task FetchAsync(BlockMap map, List<int> wrong, ReadMode mode, FileStream copy, CancellationToken cancellationToken)
    {
        BlobSource source = context.Client.OpenBlob(planned.Model.Manifest, _layer);
        using BlobFile old = BlobFile.Open(_path, mode);
        using ReadBuffer buffer = new();
        byte[] start = wrong.Contains(0) ? [] : Before(old, buffer, map.Layout.Blocks[0]) ?? [];

        void Put(int index, byte[] bytes)
        {
            Block block = map.Layout.Blocks[index];
            if (BlockChecksum.Of(bytes) != map.Checksums[index])
            {
                throw new ModelFaultException(
                    ModelFault.DigestMismatch,
                    $"The bytes that arrived for {_layer.Digest} from {block.Start} on are not those that its block map knows.",
                    Facts(null));
            }

            StoreFault.Guard(_store, _copy, () => Write(copy, block.Start, bytes, bytes.Length));
            start = index == 0 ? bytes : start;
            NoteDamage(Before(old, buffer, block), block, bytes, start);
        }

        Arrival arrival = new();
        using BlockSink sink = new(map.Layout, wrong, Put);
        BlobFetch fetch = new(_layer, sink.Ranges, isSmall: false, hasCheckpoints: false, source, _meter, sink.Take)
        {
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
            sink.Drain();
        }
    }

    /// <summary>With the right bytes at hand, the damage can be named at last.</summary>
    private void NoteDamage(byte[]? before, Block block, byte[] right, byte[] start) => _found.AddRange(
        before is null ? [DamagePattern.Unreadable]
        : before.Length < right.Length ? [DamagePattern.Missing]
        : DamageComparer.Compare(block.Start, right, before, start).Select(range => range.Pattern));

    /// <summary>What the old file has of a block; <see langword="null"/> where it cannot be read.</summary>
    private static byte[]? Before(BlobFile old, ReadBuffer buffer, Block block)
    {
        try
        {
            return old.ReadRange(block.Start, block.Length, buffer);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static void Write(FileStream copy, long offset, byte[] bytes, int length)
    {
        copy.Seek(offset, SeekOrigin.Begin);
        copy.Write(bytes, 0, length);
    }

    private ModelFaultException Unreadable(string why, Exception? inner) =>
        new(ModelFault.BlobUnreadable, $"'{_path}' cannot be read: {why}", Facts(null), inner);

    private FaultFacts Facts(BlobDigest? actual) => new()
    {
        Name = planned.Name.Shortest,
        Digest = _layer.Digest.ToString(),
        ActualDigest = actual?.ToString(),
        Path = _path,
        ExpectedSize = _layer.Size,
    };
}
