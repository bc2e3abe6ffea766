using System.Diagnostics;
using PSModel.Core.Blocks;
using PSModel.Core.Faults;
using PSModel.Core.Hashing;
using PSModel.Core.Names;
using PSModel.Core.Reading;
using PSModel.Core.Store;

namespace PSModel.Core.Diagnosis;

/// <summary>One read of a file from its beginning to its end: the SHA-256 of all and a checksum of every block. For one run.</summary>
internal sealed class ReadPass(string path, ReadMode mode, bool wantsColdCache, BlockLayout layout)
{
    private readonly BlockChecksum?[] _checksums = new BlockChecksum?[layout.Blocks.Count];
    private string? _error;
    private Exception? _held;

    public ReadMode Mode => mode;

    /// <summary>The checksum of each block; <see langword="null"/> where it could not be read.</summary>
    public IReadOnlyList<BlockChecksum?> Checksums => _checksums;

    /// <summary>What is shown of it.</summary>
    public DiagnosticRead? Result { get; private set; }

    /// <summary>Whether the file system lets files be read in this mode.</summary>
    public bool IsSupported { get; private set; } = true;

    /// <summary>Whether anything could be read; of an empty blob there is nothing.</summary>
    public bool IsRead => IsWhole || _checksums.Any(checksum => checksum is not null);

    /// <summary>Whether everything could be read.</summary>
    public bool IsWhole => IsSupported && _error is null;

    /// <summary>Reads the file.</summary>
    /// <param name="digest">The digest that it should have.</param>
    /// <param name="onBlock">Given the number, the checksum and the bytes of each block.</param>
    /// <param name="onRead">Told of the bytes of each read.</param>
    /// <param name="cancellationToken">Stops between two reads.</param>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.BlobInUse"/> where another program lets nobody read it, which says
    /// nothing of the disk.</exception>
    public async Task RunAsync(BlobDigest digest, BlockConsumer onBlock, Action<int> onRead, CancellationToken cancellationToken)
    {
        Stopwatch clock = Stopwatch.StartNew();
        bool isDropped = wantsColdCache && PageCache.TryDrop(path);
        BlobDigest? actual = null;
        try
        {
            actual = await ReadAsync(onBlock, onRead, cancellationToken).ConfigureAwait(false);
        }
        catch (ModelFaultException e) when (e.Fault == ModelFault.ReadModeNotSupported)
        {
            IsSupported = false;
            _error = e.Message;
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            _error = e.Message;
            _held = HeldFile.IsReason(e) ? e : null;
        }

        if (_held is not null)
        {
            throw HeldFile.Fault($"'{path}'", _held, new FaultFacts { Digest = digest.ToString(), Path = path });
        }

        Result = new DiagnosticRead(mode, isDropped, actual, actual == digest, clock.Elapsed, _error);
    }

    private async Task<BlobDigest?> ReadAsync(BlockConsumer onBlock, Action<int> onRead, CancellationToken cancellationToken)
    {
        using BlobFile file = HeldFile.Open(path, () => BlobFile.Open(path, mode));
        Sha256 sha = new();
        await FileScan.RunAsync(
            file,
            (offset, bytes) =>
            {
                sha.Append(bytes);
                layout.Split(offset, bytes, (index, checksum, content) =>
                {
                    _checksums[index] = checksum;
                    onBlock(index, checksum, content);
                });
                onRead(bytes.Length);
            },
            (offset, e) =>
            {
                _held ??= HeldFile.IsReason(e) ? e : null;
                _error ??= $"The bytes after {ByteText.Exact(offset)}: {e.Message}";
            },
            cancellationToken).ConfigureAwait(false);
        return _error is null ? BlobDigest.FromHash(sha.ComputeHash()) : null;
    }
}
