using System.Diagnostics;
using PSModel.Core.Blocks;
using PSModel.Core.Faults;
using PSModel.Core.Names;
using PSModel.Core.Reading;
using PSModel.Core.Store;

namespace PSModel.Core.Verification;

/// <summary>A test of one blob's file, and after <see cref="RunAsync"/> what was found. For one run.</summary>
public sealed class BlobTest : IBlobCheck
{
    private readonly ReadMode _mode;
    private readonly bool _keepsMap;
    private long _read;

    /// <summary>Says what to test.</summary>
    /// <param name="target">The file.</param>
    /// <param name="mode">The way to read it.</param>
    /// <param name="keepsMap">Leave a block map of a blob that is right and has none.</param>
    public BlobTest(BlobTarget target, ReadMode mode, bool keepsMap = false)
    {
        _keepsMap = keepsMap;
        Target = target;
        Size = target.Size ?? target.FileLength;
        _mode = mode;
    }

    /// <inheritdoc/>
    public BlobTarget Target { get; }

    /// <summary>What was found.</summary>
    public BlobStatus Status { get; private set; }

    /// <summary>The digest of what was read; <see langword="null"/> where nothing was.</summary>
    public BlobDigest? Actual { get; private set; }

    /// <summary>The expected size, else that of the file, in bytes.</summary>
    public long Size { get; }

    /// <inheritdoc/>
    public bool IsGood => Status == BlobStatus.Valid;

    /// <inheritdoc/>
    public long TotalBytes => Size;

    /// <inheritdoc/>
    public long BytesRead => Interlocked.Read(ref _read);

    /// <inheritdoc/>
    public ModelFaultException? Fault { get; private set; }

    /// <inheritdoc/>
    public ModelFaultException? MapFault { get; private set; }

    /// <summary>Whether what was read came from the disk, as far as that can be told, and not from the system's cache.</summary>
    public bool IsFromDisk { get; private set; }

    /// <summary>The time that the test took.</summary>
    public TimeSpan Elapsed { get; private set; }

    /// <inheritdoc/>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        Stopwatch clock = Stopwatch.StartNew();
        Status = FileFacts.TryRead(Target.Path) switch
        {
            null => BlobStatus.Missing,
            { IsFile: false } => BlobStatus.Unreadable,
            { Size: var size } when Target.Size is { } expected && size != expected => BlobStatus.SizeMismatch,
            _ => await ReadAsync(cancellationToken).ConfigureAwait(false),
        };
        Elapsed = clock.Elapsed;
    }

    private async Task<BlobStatus> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            IsFromDisk = _mode == ReadMode.Unbuffered ? PageCache.CanBePassed(Target.Path) : PageCache.TryDrop(Target.Path);
            BlockMapBuilder? blocks = _keepsMap && BlockMapKeeping.IsUseful(Target.Path, Target.Digest, Target.FileLength) ? new BlockMapBuilder() : null;
            BlobReading reading = await BlobReader.ReadAsync(Target.Path, _mode, bytes => Interlocked.Add(ref _read, bytes), blocks, cancellationToken).ConfigureAwait(false);
            Actual = reading.Digest;
            if (Actual != Target.Digest)
            {
                return BlobStatus.DigestMismatch;
            }

            MapFault = blocks is null ? null : BlockMapKeeping.TryWrite(Target.Path, Target.Digest, blocks.Finish());
            return BlobStatus.Valid;
        }
        catch (ModelFaultException e)
        {
            Fault = e;
            return BlobStatus.Unreadable;
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            return BlobStatus.Unreadable;
        }
    }
}
