using PSModel.Core.Blocks;
using PSModel.Core.Reading;

namespace PSModel.Core.Diagnosis;

/// <summary>What several reads of one file say, block by block, to each other and to what is right. Immutable.</summary>
internal sealed class ReadComparison
{
    private readonly IReadOnlyList<ReadPass> _passes;
    private readonly IReadOnlyList<BlockChecksum>? _map;

    /// <param name="passes">The reads in the modes that could be had.</param>
    /// <param name="map">The checksums of the right bytes, where there is a map.</param>
    /// <param name="blocks">How many blocks there are.</param>
    public ReadComparison(IReadOnlyList<ReadPass> passes, IReadOnlyList<BlockChecksum>? map, int blocks)
    {
        _passes = passes;

        // A read with the right SHA-256 is a better witness than a map that some machine wrote some day.
        ReadPass? right = passes.FirstOrDefault(pass => pass.Result!.IsRight);
        _map = right is null ? map : [.. right.Checksums.Select(checksum => checksum!.Value)];
        IEnumerable<int> all = Enumerable.Range(0, blocks);
        Unstable = [.. all.Where(IsUnstable)];
        Damaged = [.. all.Except(Unstable).Where(IsWrong)];
    }

    /// <summary>Whether the right checksums are known.</summary>
    public bool HasReference => _map is not null;

    /// <summary>The blocks that were not the same in all reads.</summary>
    public IReadOnlyList<int> Unstable { get; }

    /// <summary>The blocks that were the same in all reads, and wrong.</summary>
    public IReadOnlyList<int> Damaged { get; }

    /// <summary>Whether every read was right.</summary>
    public bool IsAllRight => _passes.All(pass => pass.Result!.IsRight);

    /// <summary>Whether the same blocks gave different SHA-256: then the processor or the memory is to blame.</summary>
    public bool IsHashUnstable =>
        Unstable.Count == 0 && _passes.Where(pass => pass.IsWhole).Select(pass => pass.Result!.Digest).Distinct().Count() > 1;

    /// <summary>Whether there were reads past the cache, and all were right.</summary>
    public bool IsUnbufferedRight =>
        _passes.Any(pass => pass.Mode == ReadMode.Unbuffered) && _passes.Where(pass => pass.Mode == ReadMode.Unbuffered).All(pass => pass.Result!.IsRight);

    /// <summary>Whether every read gave every byte.</summary>
    public bool IsAllRead => _passes.All(pass => pass.IsWhole);

    /// <summary>The right checksum of a block, else the one that most reads gave.</summary>
    public BlockChecksum? Best(int index) => _map?[index]
        ?? _passes.Select(pass => pass.Checksums[index]).OfType<BlockChecksum>().GroupBy(checksum => checksum)
            .OrderByDescending(group => group.Count()).Select(group => (BlockChecksum?)group.Key).FirstOrDefault();

    /// <summary>Whether a block could not be read at least once.</summary>
    public bool IsUnreadable(int index) => _passes.Any(pass => pass.Checksums[index] is null);

    private bool IsUnstable(int index)
    {
        BlockChecksum? first = _passes[0].Checksums[index];
        return _passes.Any(pass => pass.Checksums[index] != first);
    }

    private bool IsWrong(int index) =>
        _passes[0].Checksums[index] is not { } checksum || (_map is not null && checksum != _map[index]);
}
