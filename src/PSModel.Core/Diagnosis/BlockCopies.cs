using PSModel.Core.Blocks;

namespace PSModel.Core.Diagnosis;

/// <summary>Copies of blocks that looked wrong when they were read: the same wrong bytes may never come again. As many as fit a
/// bound that does not depend on the blob. For one thread at a time.</summary>
internal sealed class BlockCopies
{
    /// <summary>64 MiB at most.</summary>
    private const int MostCopies = 64;

    private readonly Dictionary<int, List<byte[]>> _copies = [];
    private readonly HashSet<(int Index, BlockChecksum Checksum)> _known = [];

    /// <summary>Keeps a block's bytes, unless the same are there already.</summary>
    public void Keep(int index, BlockChecksum checksum, ReadOnlySpan<byte> bytes)
    {
        if (_known.Count >= MostCopies || !_known.Add((index, checksum)))
        {
            return;
        }

        if (!_copies.TryGetValue(index, out List<byte[]>? copies))
        {
            _copies[index] = copies = [];
        }

        copies.Add(bytes.ToArray());
    }

    /// <summary>What was kept of a block.</summary>
    public IReadOnlyList<byte[]> Of(int index) => _copies.TryGetValue(index, out List<byte[]>? copies) ? copies : [];
}
