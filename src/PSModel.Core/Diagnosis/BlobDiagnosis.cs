using PSModel.Core.Blocks;
using PSModel.Core.Faults;
using PSModel.Core.Names;
using PSModel.Core.Reading;
using PSModel.Core.Store;
using PSModel.Core.Verification;

namespace PSModel.Core.Diagnosis;

/// <summary>
/// Finds out what is wrong with a blob's file: it is read in every mode, repeatedly, and the reads are compared block by block
/// with the block map and with each other. The memory it takes grows by 200 bytes for each mebibyte of the blob. For one run.
/// </summary>
public sealed class BlobDiagnosis : IBlobCheck
{
    private const int Rounds = 2;

    /// <summary>The reads of one round. The cache is dropped before the first, so that the second shows what it holds.</summary>
    private static readonly (ReadMode Mode, bool WantsColdCache)[] Round =
    [
        (ReadMode.Buffered, true), (ReadMode.Buffered, false), (ReadMode.Unbuffered, false), (ReadMode.MemoryMapped, false),
    ];

    private readonly MemoryControl _control;
    private readonly bool _keepsMap;
    private readonly BlockCopies _copies = new();
    private long _read;

    /// <summary>Says what to diagnose.</summary>
    /// <param name="target">The file.</param>
    /// <param name="control">The control of the call.</param>
    /// <param name="keepsMap">Leave a block map of a blob that is right and has none.</param>
    public BlobDiagnosis(BlobTarget target, MemoryControl control, bool keepsMap = false)
    {
        _keepsMap = keepsMap;
        Target = target;
        Size = target.Size ?? target.FileLength;
        _control = control;
    }

    /// <inheritdoc/>
    public BlobTarget Target { get; }

    /// <summary>The size in bytes that the blob should have, as far as that is known, else that of the file.</summary>
    public long Size { get; private set; }

    /// <summary>What it comes to.</summary>
    public DiagnosisVerdict Verdict { get; private set; }

    /// <summary>Whether the store had a block map of the blob.</summary>
    public bool HasBlockMap { get; private set; }

    /// <summary>The reads in the order in which they were made.</summary>
    public IReadOnlyList<DiagnosticRead> Reads { get; private set; } = [];

    /// <summary>The damaged ranges in the order of the blob.</summary>
    public IReadOnlyList<DamagedRange> DamagedRanges { get; private set; } = [];

    /// <summary>What the evidence points to, in two or three sentences.</summary>
    public string Explanation { get; private set; } = string.Empty;

    /// <summary>What to try next.</summary>
    public string Recommendation { get; private set; } = string.Empty;

    /// <inheritdoc/>
    public bool IsGood => Fault is null && Verdict == DiagnosisVerdict.Healthy;

    /// <inheritdoc/>
    public long TotalBytes => Size * Rounds * Round.Length;

    /// <inheritdoc/>
    public long BytesRead => Interlocked.Read(ref _read);

    /// <inheritdoc/>
    public ModelFaultException? Fault { get; private set; }

    /// <inheritdoc/>
    public ModelFaultException? MapFault { get; private set; }

    /// <inheritdoc/>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            // They show whether another program wrote to the file, or put another one in its place.
            FileFacts? before = FileFacts.TryRead(Path);
            await DiagnoseAsync(cancellationToken).ConfigureAwait(false);
            if (FileFacts.TryRead(Path) != before && !IsGood)
            {
                throw new ModelFaultException(
                    ModelFault.BlobInUse,
                    $"'{Path}' changed while it was read, so the reads say nothing of the disk.",
                    new FaultFacts { Digest = Digest.ToString(), Path = Path });
            }
        }
        catch (ModelFaultException e)
        {
            Fault = e;
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            Fault = Unreadable(e.Message, e);
        }
    }

    private async Task DiagnoseAsync(CancellationToken cancellationToken)
    {
        if (FileFacts.TryRead(Path) is not { } file)
        {
            string? remedy = Target.Owner?.RepairCommand is { } command ? $"\"{command}\" fetches it." : Target.Name is null ? "Check the path." : null;
            throw new ModelFaultException(ModelFault.BlobNotFound, $"There is no file '{Path}'.", new FaultFacts { Digest = Digest.ToString(), Path = Path, Remedy = remedy });
        }

        if (!file.IsFile)
        {
            Conclude(DiagnosisVerdict.NotABlob, file.IsFolder ? "A folder stands where the blob belongs." : "What stands where the blob belongs is no file.");
            return;
        }

        BlockMap? map = BlockMapFile.Beside(Path, Digest)?.TryRead();
        Size = Target.Size ?? map?.Layout.Size ?? file.Size;
        map = map?.Layout.Size == Size ? map : null;
        HasBlockMap = map is not null;
        if (!await _control.IsStableAsync().ConfigureAwait(false))
        {
            Conclude(DiagnosisVerdict.UnstableMemory, string.Empty);
            return;
        }

        // A manifest may name a size whose blocks no memory holds.
        BlockLayout layout = map?.Layout ?? new BlockLayout(Math.Min(Size, file.Size), []);
        if (file.Size == Size)
        {
            await CompareReadsAsync(layout, map, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            await LookAtSizeAsync(file.Size, layout, map, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The file has another size than the blob: is it a part of it?</summary>
    private async Task LookAtSizeAsync(long length, BlockLayout layout, BlockMap? map, CancellationToken cancellationToken)
    {
        ReadPass pass = new(Path, ReadMode.Buffered, wantsColdCache: false, layout);
        byte[] start = [];
        await pass.RunAsync(
            Digest,
            (index, _, bytes) => start = index == 0 ? bytes.ToArray() : start,
            Count,
            cancellationToken).ConfigureAwait(false);
        Reads = [pass.Result!];

        if (length > 0 && !pass.IsRead)
        {
            throw Unreadable(pass.Result!.Error ?? string.Empty, null);
        }

        int whole = layout.Blocks.Count(block => block.End <= length);
        int right = map is null ? 0 : Enumerable.Range(0, whole).Count(index => pass.Checksums[index] == map.Checksums[index]);
        string sizes = $"The file has {ByteText.Exact(length)} and the blob {ByteText.Exact(Size)}.";
        if (length > Size && map is not null && right == layout.Blocks.Count)
        {
            DamagedRanges = [new DamagedRange(Size, length - Size, DamagePattern.Other)];
            Conclude(DiagnosisVerdict.DamagedOnDisk, $"{sizes} All bytes of the blob are right, and others follow.");
            return;
        }

        bool isForeign = length > Size || MarkupText.LengthAt(start, 0, start.Length) > 0 || (map is not null && whole > 0 && right == 0);
        if (isForeign)
        {
            Conclude(DiagnosisVerdict.NotABlob, sizes);
            return;
        }

        DamagedRanges = [new DamagedRange(length, Size - length, DamagePattern.Missing)];
        Conclude(DiagnosisVerdict.Truncated, map is null ? sizes : $"{sizes} Of the {whole} whole blocks that are there, {right} are right.");
    }

    private async Task CompareReadsAsync(BlockLayout layout, BlockMap? map, CancellationToken cancellationToken)
    {
        List<ReadPass> passes = await ReadAllAsync(layout, map, cancellationToken).ConfigureAwait(false);
        Reads = [.. passes.Select(pass => pass.Result!)];

        // A mode that is not to be had says nothing; a read that failed says a lot.
        List<ReadPass> read = passes.FindAll(pass => pass.IsSupported);
        if (!read.Exists(pass => pass.IsRead))
        {
            throw Unreadable(Reads[0].Error ?? string.Empty, null);
        }

        ReadComparison comparison = new(read, map?.Checksums, layout.Blocks.Count);
        DamageFinder finder = new(Path, layout, comparison, _copies, ModesToReread(read));
        DamagedRanges = await Task.Run(() => finder.Find(cancellationToken), cancellationToken).ConfigureAwait(false);
        bool isForeign = finder.BeginsWithMarkup && comparison.Unstable.Count == 0 && (map is null || comparison.Damaged.Count == layout.Blocks.Count);
        DiagnosisVerdict verdict =
            comparison.IsAllRight ? DiagnosisVerdict.Healthy
            : comparison.IsHashUnstable ? DiagnosisVerdict.UnstableMemory
            : isForeign ? DiagnosisVerdict.NotABlob
            : comparison.Unstable.Count == 0 ? DiagnosisVerdict.DamagedOnDisk
            : comparison.IsUnbufferedRight && comparison.IsAllRead ? DiagnosisVerdict.BufferedReadsUnstable
            : DiagnosisVerdict.UnstableReads;
        Conclude(verdict, comparison.HasReference || verdict != DiagnosisVerdict.DamagedOnDisk
            ? string.Empty
            : "Which of its bytes are wrong cannot be told: the store has no block map of this blob, which another program brought.");
        if (_keepsMap && verdict == DiagnosisVerdict.Healthy && BlockMapKeeping.IsUseful(Path, Digest, layout.Size))
        {
            MapFault = BlockMapKeeping.TryWrite(Path, Digest, new BlockMap(layout, [.. read[0].Checksums.OfType<BlockChecksum>()]));
        }
    }

    /// <summary>What the disk does not give would end the process in a mapping.</summary>
    private static ReadMode[] ModesToReread(List<ReadPass> passes) =>
    [
        .. passes.Where(pass => pass.IsRead).Select(pass => pass.Mode).Distinct()
            .Where(mode => mode != ReadMode.MemoryMapped || passes.TrueForAll(pass => pass.IsWhole)),
    ];

    private async Task<List<ReadPass>> ReadAllAsync(BlockLayout layout, BlockMap? map, CancellationToken cancellationToken)
    {
        List<ReadPass> passes = [];
        foreach ((ReadMode mode, bool wantsColdCache) in Enumerable.Repeat(Round, Rounds).SelectMany(round => round))
        {
            // What the disk does not give would end the process in a mapping.
            bool isRefused = passes.Exists(pass => pass.Mode == mode && !pass.IsSupported);
            bool isDangerous = mode == ReadMode.MemoryMapped && passes.Exists(pass => pass.IsSupported && !pass.IsWhole);
            if (isRefused || isDangerous)
            {
                continue;
            }

            ReadPass pass = new(Path, mode, wantsColdCache, layout);
            IReadOnlyList<BlockChecksum?>? first = passes.FirstOrDefault()?.Checksums;
            await pass.RunAsync(
                Digest,
                (index, checksum, bytes) =>
                {
                    if ((map?.Checksums[index] ?? first?[index] ?? checksum) != checksum)
                    {
                        _copies.Keep(index, checksum, bytes);
                    }
                },
                Count,
                cancellationToken).ConfigureAwait(false);
            passes.Add(pass);
        }

        return passes;
    }

    private string Path => Target.Path;

    private BlobDigest Digest => Target.Digest;

    private void Count(int bytes) => Interlocked.Add(ref _read, bytes);

    private void Conclude(DiagnosisVerdict verdict, string facts)
    {
        Verdict = verdict;
        Explanation = VerdictText.Explain(this, facts);
        Recommendation = VerdictText.Recommend(this);
    }

    private ModelFaultException Unreadable(string why, Exception? inner) => new(
        ModelFault.BlobUnreadable,
        $"'{Path}' cannot be read: {why}",
        new FaultFacts { Digest = Digest.ToString(), Path = Path },
        inner);
}
