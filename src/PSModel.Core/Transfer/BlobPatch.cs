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
using PSModel.Core.Sources;
using PSModel.Core.Store;

namespace PSModel.Core.Transfer;

/// <summary>
/// Makes a right copy of a damaged blob by its block map: what is good is copied block by block, what is not is fetched. The
/// digest of the copy decides, and neither the map nor the wire is trusted before. For one run, by whoever holds the blob's lock.
/// </summary>
internal sealed class BlobPatch(SaveContext context, PlannedBlob planned, BlockMap map, ReadMode mode)
{
    private readonly ModelStore _store = context.Store;
    private readonly Layer _layer = planned.Layer;
    private readonly TransferMeter _meter = planned.Meter;
    private readonly string _path = context.Store.BlobPath(planned.Digest);
    private readonly string _copy = CopyPath(context.Store, planned.Digest);
    private readonly List<DamagePattern> _found = [];

    /// <summary>Where the copy lies.</summary>
    public static string CopyPath(ModelStore store, BlobDigest digest) => Path.Combine(store.Work, $"{digest.FileName}.repair");

    /// <summary>Makes the copy and puts it in the blob's place.</summary>
    /// <returns>Whether it has the digest; if not, the blob is as it was, and the log says why.</returns>
    /// <exception cref="ModelFaultException">It failed; the blob is as it was.</exception>
    public async Task<bool> TryRunAsync(CancellationToken cancellationToken)
    {
        // What a repair that was killed left takes room that this one may need.
        StoreFault.Guard(_store, _store.Work, () => DurableFile.Delete(_copy));
        DiskSpace.Require(_store, _layer, kept: 0);
        _meter.Phase = TransferPhase.Downloading;
        try
        {
            using (FileStream copy = OpenCopy())
            {
                List<int> wrong = await CopyAsync(copy, cancellationToken).ConfigureAwait(false);
                context.Tell($"{wrong.Count} of the {map.Checksums.Count} blocks of {_layer.Digest} are wrong; {ByteText.Of(wrong.Sum(index => (long)map.Layout.Blocks[index].Length))} are fetched.");
                if (wrong.Count > 0)
                {
                    await FetchAsync(wrong, copy, cancellationToken).ConfigureAwait(false);
                }

                StoreFault.Guard(_store, _copy, () => DurableFile.Flush(copy));
            }

            ReadPass pass = await RepairReading.RunAsync(_copy, _layer.Digest, map.Layout, _meter, cancellationToken).ConfigureAwait(false);
            if (!pass.Result!.IsRight)
            {
                context.Tell($"Put together by its block map, {_layer.Digest} has the digest {pass.Result.Digest}: the map is wrong, or what came, or reading; all of it is fetched.");
                return false;
            }

            KeepMap(pass);
            _meter.Phase = TransferPhase.Committing;
            StoreFault.Guard(_store, _path, () => DurableFile.Replace(_copy, _path));
            context.Tell($"What was wrong with {_layer.Digest}: {string.Join(", ", _found.GroupBy(pattern => pattern).Select(group => $"{group.Count()} × {group.Key}"))}.");
            return true;
        }
        finally
        {
            DeleteCopy();
        }
    }

    /// <summary>The copy has the digest, so its checksums are right, whatever the map said. A blob is as good without a map.</summary>
    private void KeepMap(ReadPass pass)
    {
        BlockChecksum[] right = [.. pass.Checksums.OfType<BlockChecksum>()];
        if (right.SequenceEqual(map.Checksums))
        {
            return;
        }

        context.Tell($"The block map of {_layer.Digest} was wrong, and is written anew.");
        new BlockMapFile(_store, _layer.Digest).Keep(new BlockMap(map.Layout, right), context.Tell);
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
    private async Task<List<int>> CopyAsync(FileStream copy, CancellationToken cancellationToken)
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

    /// <summary>Fetches the wrong blocks, neighbours with one request, and looks how the old ones differ.</summary>
    private async Task FetchAsync(List<int> wrong, FileStream copy, CancellationToken cancellationToken)
    {
        BlobSource source = context.Source.OpenBlob(planned.Model.Manifest, _layer);
        using BlobFile old = BlobFile.Open(_path, mode);
        using ReadBuffer buffer = new();
        byte[] start = wrong.Contains(0) ? [] : Before(old, buffer, map.Layout.Blocks[0]) ?? [];

        void Put(int index, byte[] bytes)
        {
            Block block = map.Layout.Blocks[index];
            StoreFault.Guard(_store, _copy, () => Write(copy, block.Start, bytes, bytes.Length));
            start = index == 0 ? bytes : start;
            NoteDamage(Before(old, buffer, block), block, bytes, start);
        }

        Arrival arrival = Arrival.OnThreadPool();
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
}
