using PSModel.Core.Blocks;
using PSModel.Core.Names;

namespace PSModel.Core.Store;

/// <summary>
/// The checksums of the finished blocks of a blob underway, in a file that only grows: a checkpoint of a large blob must not
/// write them all again. For one thread at a time.
/// </summary>
internal sealed class PartialBlockMap : IDisposable
{
    private readonly BlockMapBuilder _blocks;
    private readonly FileStream _file;
    private int _written;

    /// <summary>Opens the file and cuts off what lies past what <paramref name="mark"/> covers.</summary>
    /// <param name="store">The store.</param>
    /// <param name="digest">The blob.</param>
    /// <param name="blocks">The map in the making.</param>
    /// <param name="mark">What an earlier call left; <see langword="null"/> for nothing.</param>
    public PartialBlockMap(ModelStore store, BlobDigest digest, BlockMapBuilder blocks, BlockMark? mark)
    {
        _blocks = blocks;
        _written = mark?.Count ?? 0;
        store.CreateWork();
        _file = WorkFile.OpenKept(store, PathOf(store, digest), (long)_written * BlockChecksum.Size);
    }

    /// <summary>Goes on with the map of an earlier call.</summary>
    /// <returns><see langword="null"/> where there is none, or none that fits.</returns>
    public static BlockMapBuilder? TryRestore(ModelStore store, BlobDigest digest, BlockMark? mark, long offset)
    {
        try
        {
            return mark is null or { Count: < 0 } ? null : BlockMapBuilder.TryRestore(mark, ReadStart(PathOf(store, digest), (long)mark.Count * BlockChecksum.Size), offset);
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            return null;
        }
    }

    public static void Delete(ModelStore store, BlobDigest digest) => DurableFile.Delete(PathOf(store, digest));

    /// <summary>Returns when the checksums that a mark counts are on the disk.</summary>
    public void Save(BlockMark mark)
    {
        byte[] bytes = _blocks.Finished(_written, mark.Count);
        if (bytes.Length > 0)
        {
            _file.Write(bytes, 0, bytes.Length);
            DurableFile.Flush(_file);
            _written = mark.Count;
        }
    }

    public void Dispose() => _file.Dispose();

    private static byte[] ReadStart(string path, long length)
    {
        byte[] bytes = WorkFile.TryRead(path, BlockMapFile.MaximumBytes) ?? [];
        Array.Resize(ref bytes, (int)Math.Min(length, bytes.Length));
        return bytes;
    }

    private static string PathOf(ModelStore store, BlobDigest digest) => Path.Combine(store.Work, $"{digest.FileName}.blocks-partial");
}
