using PSModel.Core.Blocks;
using PSModel.Core.Diagnosis;
using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Reading;
using PSModel.Core.Registry;
using PSModel.Core.Store;

namespace PSModel.Core.Transfer;

/// <summary>
/// Reads a blob of the store, and where it is wrong makes a right copy of it: what is good is copied block by block, what is
/// not is fetched, each block is checked against the map, and the copy as a whole before it takes the blob's name. So a crash
/// at any moment leaves the old blob or the repaired one. For one run.
/// </summary>
internal sealed class BlobRepair(ModelSaver saver, Manifest manifest, Layer layer, TransferMeter meter, Action<string> tell)
{
    /// <summary>Where more than this part is wrong, all of it is fetched: over many connections, and with resume.</summary>
    private const double LargestPart = 0.5;

    private readonly ModelStore _store = saver.Store;
    private readonly string _path = saver.Store.BlobPath(layer.Digest);
    private readonly string _copy = Path.Combine(saver.Store.Work, $"{layer.Digest.FileName}.repair");
    private readonly List<DamagePattern> _found = [];

    /// <summary>Whether the file, as it is now, was read and found right.</summary>
    public bool IsReadBack { get; private set; }

    /// <summary>Runs it to its end.</summary>
    /// <param name="confirm">Asked before anything is fetched or written.</param>
    /// <param name="cancellationToken">Stops it; the store is as it was then.</param>
    /// <returns>What became of the blob; <see langword="null"/> where leave was not given.</returns>
    /// <exception cref="ModelFaultException">It failed; the store is as it was.</exception>
    public async Task<BlobOutcome?> RunAsync(Func<Task<bool>> confirm, CancellationToken cancellationToken)
    {
        BlockMap? map = new BlockMapFile(_store, layer.Digest).TryRead();
        map = map?.Layout.Size == layer.Size ? map : null;
        ReadPass pass = await ReadAsync(_path, map?.Layout ?? new BlockLayout(layer.Size, []), cancellationToken).ConfigureAwait(false);
        if (pass.Result!.IsRight)
        {
            tell($"{layer.Digest} is right in the store.");
            IsReadBack = true;
            meter.Phase = TransferPhase.Completed;
            return BlobOutcome.AlreadyPresent;
        }

        if (!await confirm().ConfigureAwait(false))
        {
            return null;
        }

        if (map is not null && WrongBytes(map, pass) is long wrong && (wrong <= layer.Size * LargestPart || wrong <= BlockLayout.BlockSize))
        {
            await PatchAsync(map, pass.Mode, cancellationToken).ConfigureAwait(false);
            IsReadBack = true;
        }
        else
        {
            tell(map is null
                ? $"{layer.Digest} is wrong, and there is no block map to tell where; all of it is fetched."
                : $"More than half of {layer.Digest} is wrong; all of it is fetched.");
            await new BlobDownload(saver, manifest, layer, isForced: true, meter, tell).RunAsync(cancellationToken).ConfigureAwait(false);
            IsReadBack = saver.Options.ReadBack;
        }

        meter.Phase = TransferPhase.Completed;
        return BlobOutcome.Repaired;
    }

    private static long WrongBytes(BlockMap map, ReadPass pass) =>
        Enumerable.Range(0, map.Checksums.Count).Where(index => pass.Checksums[index] != map.Checksums[index]).Sum(index => (long)map.Layout.Blocks[index].Length);

    /// <summary>Reads a file whole. Reads past the cache come from where the bytes are, and stay right where others do not.</summary>
    private async Task<ReadPass> ReadAsync(string path, BlockLayout layout, CancellationToken cancellationToken)
    {
        meter.Phase = TransferPhase.Verifying;
        ReadPass pass = new(path, ReadMode.Unbuffered, wantsColdCache: false, layout);
        await pass.RunAsync(layer.Digest, (_, _, _) => { }, meter.Verify, cancellationToken).ConfigureAwait(false);
        if (!pass.IsSupported)
        {
            pass = new ReadPass(path, ReadMode.Buffered, wantsColdCache: true, layout);
            await pass.RunAsync(layer.Digest, (_, _, _) => { }, meter.Verify, cancellationToken).ConfigureAwait(false);
        }

        return pass;
    }

    private async Task PatchAsync(BlockMap map, ReadMode mode, CancellationToken cancellationToken)
    {
        using BlobLock held = await BlobLock.AcquireAsync(_store, layer.Digest, tell, cancellationToken).ConfigureAwait(false);
        DiskSpace.Require(_store, layer, kept: 0);
        meter.Phase = TransferPhase.Downloading;
        try
        {
            using (FileStream copy = OpenCopy())
            {
                List<int> wrong = await CopyAsync(map, mode, copy, cancellationToken).ConfigureAwait(false);
                tell($"{wrong.Count} of the {map.Checksums.Count} blocks of {layer.Digest} are wrong; {wrong.Sum(index => (long)map.Layout.Blocks[index].Length)} bytes are fetched.");
                await FetchAsync(map, wrong, mode, copy, cancellationToken).ConfigureAwait(false);
                StoreFault.Guard(_store, _copy, () => copy.Flush(flushToDisk: true));
            }

            ReadPass pass = await ReadAsync(_copy, map.Layout, cancellationToken).ConfigureAwait(false);
            if (!pass.Result!.IsRight)
            {
                throw new ModelFaultException(
                    ModelFault.ReadBackMismatch,
                    $"Every block of {layer.Digest} was checked, and reading the repaired copy gives another digest: the storage, or the way it is read, is at fault.",
                    Facts(pass.Result.Digest));
            }

            meter.Phase = TransferPhase.Committing;
            StoreFault.Guard(_store, _path, () => DurableFile.Replace(_copy, _path));
            tell($"What was wrong with {layer.Digest}: {string.Join(", ", _found.GroupBy(pattern => pattern).Select(group => $"{group.Count()} × {group.Key}"))}.");
        }
        finally
        {
            StoreFault.Guard(_store, _store.Work, () => DurableFile.Delete(_copy));
        }
    }

    private FileStream OpenCopy()
    {
        FileStream? copy = null;
        StoreFault.Guard(_store, _copy, () => copy = DurableFile.OpenForWriting(_copy, FileMode.Create));
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
            (offset, bytes) =>
            {
                foreach (int index in map.Layout.Within(offset, offset + bytes.Length))
                {
                    Block block = map.Layout.Blocks[index];
                    int start = (int)(block.Start - offset);
                    ReadOnlySpan<byte> content = bytes.Slice(start, Math.Min(block.Length, bytes.Length - start));
                    if (content.Length == block.Length && BlockChecksum.Of(content) == map.Checksums[index])
                    {
                        content.CopyTo(scratch);
                        StoreFault.Guard(_store, _copy, () => Write(copy, block.Start, scratch, block.Length));
                        meter.BytesResumed += block.Length;
                        wrong.Remove(index);
                    }
                }
            },
            onError: (_, _) => { },
            cancellationToken).ConfigureAwait(false);
        return [.. wrong.OrderBy(index => index)];
    }

    /// <summary>Fetches the wrong blocks, neighbours with one request, and looks how the old ones differ.</summary>
    private async Task FetchAsync(BlockMap map, List<int> wrong, ReadMode mode, FileStream copy, CancellationToken cancellationToken)
    {
        using BlobSource source = saver.Client.OpenBlob(manifest, layer);
        using RangeFetch fetch = new(source, saver, meter);
        using BlobFile old = BlobFile.Open(_path, mode);
        using ReadBuffer buffer = new();
        foreach (int index in wrong)
        {
            Block block = map.Layout.Blocks[index];
            long end = LastNeighbour(map, wrong, index);
            byte[] bytes = await fetch.ReadAsync(block, end, cancellationToken).ConfigureAwait(false);
            if (BlockChecksum.Of(bytes) != map.Checksums[index])
            {
                throw new ModelFaultException(
                    ModelFault.DigestMismatch,
                    $"The bytes that arrived for {layer.Digest} from {block.Start} on are not those that its block map knows.",
                    Facts(null));
            }

            StoreFault.Guard(_store, _copy, () => Write(copy, block.Start, bytes, bytes.Length));
            NoteDamage(old, buffer, block, bytes);
        }
    }

    /// <summary>With the right bytes at hand, the damage can be named at last.</summary>
    private void NoteDamage(BlobFile old, ReadBuffer buffer, Block block, byte[] right)
    {
        try
        {
            long unit = block.Start / ReadBuffer.UnitSize * ReadBuffer.UnitSize;
            old.Read(unit, buffer);
            int skipped = (int)(block.Start - unit);
            byte[] before = buffer.Length <= skipped ? [] : buffer.Content.Slice(skipped, Math.Min(block.Length, buffer.Length - skipped)).ToArray();
            IEnumerable<DamagePattern> patterns = before.Length < right.Length
                ? [DamagePattern.Missing]
                : DamageComparer.Compare(block.Start, right, before, []).Select(range => range.Pattern);
            _found.AddRange(patterns);
        }
        catch (IOException)
        {
            _found.Add(DamagePattern.Unreadable);
        }
    }

    private static long LastNeighbour(BlockMap map, List<int> wrong, int index)
    {
        while (wrong.BinarySearch(index + 1) >= 0)
        {
            index++;
        }

        return map.Layout.Blocks[index].End;
    }

    private static void Write(FileStream copy, long offset, byte[] bytes, int length)
    {
        copy.Seek(offset, SeekOrigin.Begin);
        copy.Write(bytes, 0, length);
    }

    private FaultFacts Facts(BlobDigest? actual) => new()
    {
        Name = manifest.Name.Shortest,
        Digest = layer.Digest.ToString(),
        ActualDigest = actual?.ToString(),
        Path = _path,
        ExpectedSize = layer.Size,
    };
}
