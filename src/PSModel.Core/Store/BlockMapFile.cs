using System.Text;
using System.Text.Json;
using PSModel.Core.Blocks;
using PSModel.Core.Hashing;
using PSModel.Core.Names;

namespace PSModel.Core.Store;

/// <summary>
/// Where a blob's block map lies, and its form: a line of JSON, the checksums of 16 bytes each, and the SHA-256 of all that.
/// Written whole or not at all. For one thread at a time.
/// </summary>
internal sealed class BlockMapFile(ModelStore store, BlobDigest digest)
{
    /// <summary>How the names of the files end.</summary>
    public const string Extension = ".blocks";

    private const int Version = 1;

    /// <summary>That of a blob of 64 TiB; a longer file is none of ours.</summary>
    public const long MaximumBytes = 1L << 30;

    private const int HashSize = 32;

    private readonly string _path = Path.Combine(store.CommonWork, digest.FileName + Extension);

    /// <summary>The map's file of a blob's file, which lies in <c>blobs/</c> of some store.</summary>
    public static BlockMapFile? Beside(string blob, BlobDigest digest) =>
        Path.GetDirectoryName(Path.GetDirectoryName(Path.GetFullPath(blob))) is { } root ? new BlockMapFile(new ModelStore(root), digest) : null;

    /// <summary>Reads the map; <see langword="null"/> where there is none, or none that is whole and fits.</summary>
    public BlockMap? TryRead()
    {
        try
        {
            return WorkFile.TryRead(_path, MaximumBytes) is { } bytes ? Parse(bytes) : null;
        }
        catch (Exception e) when (e is FormatException or JsonException or InvalidOperationException or KeyNotFoundException or IOException or UnauthorizedAccessException)
        {
            // Without a map a diagnosis says less, and that is all.
            return null;
        }
    }

    /// <summary>Removes the map, if there is one.</summary>
    public void Delete() => DurableFile.Delete(_path);

    /// <summary>Writes the map of a blob that is as good to use without one.</summary>
    /// <param name="map">The map.</param>
    /// <param name="tell">Told of a failure.</param>
    public void Keep(BlockMap map, Action<string> tell)
    {
        try
        {
            Write(map);
        }
        catch (Exception e) when (StoreFault.IsOfStore(e))
        {
            tell($"The block map of {digest} could not be written: {e.Message}");
        }
    }

    /// <summary>Writes the map.</summary>
    public void Write(BlockMap map)
    {
        using MemoryStream content = new();
        using (Utf8JsonWriter json = new(content))
        {
            json.WriteStartObject();
            json.WriteNumber("version", Version);
            json.WriteString("digest", digest.ToString());
            json.WriteNumber("size", map.Layout.Size);
            json.WriteNumber("blockSize", BlockLayout.BlockSize);
            json.WriteStartArray("cuts");
            foreach (long cut in map.Layout.Cuts)
            {
                json.WriteNumberValue(cut);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        content.WriteByte((byte)'\n');
        byte[] checksums = BlockChecksum.WriteAll(map.Checksums, 0, map.Checksums.Count);
        content.Write(checksums, 0, checksums.Length);
        byte[] hash = Sha256.HashOf(content.ToArray());
        content.Write(hash, 0, hash.Length);
        store.CreateWork();
        DurableFile.WriteWhole(store, content.ToArray(), Path.Combine(store.Work, $"{digest.FileName}{Extension}.new"), _path);
    }

    private BlockMap Parse(byte[] bytes)
    {
        int contentLength = bytes.Length - HashSize;
        int lineEnd = Array.IndexOf(bytes, (byte)'\n');
        if (lineEnd < 0 || lineEnd >= contentLength || !Sha256.HashOf(bytes.AsSpan(0, contentLength)).AsSpan().SequenceEqual(bytes.AsSpan(contentLength)))
        {
            throw new FormatException("its checksum is wrong");
        }

        using JsonDocument document = JsonDocument.Parse(Encoding.UTF8.GetString(bytes, 0, lineEnd));
        JsonElement root = document.RootElement;
        if (root.GetProperty("version").GetInt32() != Version
            || root.GetProperty("digest").GetString() != digest.ToString()
            || root.GetProperty("blockSize").GetInt32() != BlockLayout.BlockSize)
        {
            throw new FormatException("it is of another version or for another blob");
        }

        long[] cuts = [.. root.GetProperty("cuts").EnumerateArray().Select(cut => cut.GetInt64())];
        BlockChecksum[] checksums = BlockChecksum.ReadAll(bytes.AsSpan(lineEnd + 1, contentLength - lineEnd - 1).ToArray());
        long size = root.GetProperty("size").GetInt64();
        return BlockLayout.CanBe(size, cuts, checksums.Length)
            ? new BlockMap(new BlockLayout(size, cuts), checksums)
            : throw new FormatException("its parts do not fit one another");
    }
}
