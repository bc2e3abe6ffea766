using System.Text;
using System.Text.Json;
using PSModel.Core.Blocks;
using PSModel.Core.Hashing;
using PSModel.Core.Names;

namespace PSModel.Core.Store;

/// <summary>
/// Where a blob's checkpoint lies, and its form: a line of JSON, then the SHA-256 of that line in hexadecimal. Written
/// whole or not at all. For one thread at a time.
/// </summary>
internal sealed class CheckpointFile(ModelStore store, BlobDigest digest)
{
    private const int Version = 1;

    /// <summary>A checkpoint takes about 500 bytes; an ETag may be long, and the cuts many.</summary>
    private const int MaximumBytes = 1024 * 1024;

    private readonly string _path = Path.Combine(store.Work, $"{digest.FileName}.checkpoint");

    /// <summary>Whether there is a file, of whatever content.</summary>
    public bool Exists => FileFacts.TryReadEntry(_path) is not null;

    /// <summary>The size of the blob as the checkpoint has it; <see langword="null"/> where there is none that is whole.</summary>
    public long? BlobSize
    {
        get
        {
            try
            {
                return Exists ? Parse(ReadText()).Size : null;
            }
            catch (Exception e) when (IsDamage(e) || HeldFile.IsReason(e))
            {
                return null;
            }
        }
    }

    /// <summary>Reads the checkpoint.</summary>
    /// <param name="size">The size that the manifest names now.</param>
    /// <param name="partialLength">The length of the partial file.</param>
    /// <param name="problem">Why there is none although there is a file.</param>
    /// <exception cref="HeldFileException">Another program lets nobody read it.</exception>
    public Checkpoint? TryRead(long size, long partialLength, out string? problem)
    {
        problem = null;
        if (!Exists)
        {
            return null;
        }

        try
        {
            Checkpoint checkpoint = Parse(ReadText());
            problem =
                checkpoint.Size != size ? "it is for another size"
                : checkpoint.Offset > partialLength ? "the partial file is shorter than it says"
                : Sha256.Restore(checkpoint.State.Sha).Length != checkpoint.Offset || checkpoint.Offset > size ? "its parts do not fit one another"
                : null;
            return problem is null ? checkpoint : null;
        }
        catch (Exception e) when (IsDamage(e))
        {
            problem = e.Message;
            return null;
        }
    }

    private static bool IsDamage(Exception e) => !HeldFile.IsReason(e) &&
        e is FormatException or JsonException or InvalidOperationException or KeyNotFoundException or IOException or UnauthorizedAccessException;

    public void Write(Checkpoint checkpoint)
    {
        string line = Format(checkpoint);
        byte[] bytes = Encoding.UTF8.GetBytes($"{line}\n{ChecksumOf(line)}\n");
        DurableFile.WriteWhole(store, bytes, $"{_path}.new", _path);
    }

    /// <summary>Removes the checkpoint, if there is one, and makes that durable.</summary>
    public void Delete() => DurableFile.Delete(_path);

    private string Format(Checkpoint checkpoint)
    {
        using MemoryStream buffer = new();
        using (Utf8JsonWriter json = new(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("version", Version);
            json.WriteString("digest", digest.ToString());
            json.WriteNumber("size", checkpoint.Size);
            json.WriteNumber("offset", checkpoint.Offset);
            json.WriteBase64String("state", checkpoint.State.Sha);
            json.WriteString("validator", checkpoint.Validator);
            if (checkpoint.State.Blocks is { } mark)
            {
                Write(json, mark);
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static void Write(Utf8JsonWriter json, BlockMark mark)
    {
        json.WriteStartObject("blocks");
        json.WriteNumber("count", mark.Count);
        json.WriteBase64String("tail", mark.Tail);
        json.WriteBase64String("check", mark.Check);
        json.WriteStartArray("cuts");
        foreach (long cut in mark.Cuts)
        {
            json.WriteNumberValue(cut);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>A checkpoint without a block map is as good for going on.</summary>
    private static BlockMark? ReadMark(JsonElement root) => !root.TryGetProperty("blocks", out JsonElement blocks) ? null : new BlockMark(
        blocks.GetProperty("count").GetInt32(),
        [.. blocks.GetProperty("cuts").EnumerateArray().Select(cut => cut.GetInt64())],
        blocks.GetProperty("tail").GetBytesFromBase64(),
        blocks.GetProperty("check").GetBytesFromBase64());

    private Checkpoint Parse(string text)
    {
        string[] lines = text.Split('\n');
        if (lines.Length != 3 || lines[1] != ChecksumOf(lines[0]))
        {
            throw new FormatException("its checksum is wrong");
        }

        using JsonDocument document = JsonDocument.Parse(lines[0]);
        JsonElement root = document.RootElement;
        if (root.GetProperty("version").GetInt32() != Version)
        {
            throw new FormatException("it is of another version");
        }

        if (root.GetProperty("digest").GetString() != digest.ToString())
        {
            throw new FormatException("it is for another blob");
        }

        return new Checkpoint(
            root.GetProperty("size").GetInt64(),
            root.GetProperty("offset").GetInt64(),
            new BlobHashState(root.GetProperty("state").GetBytesFromBase64(), ReadMark(root)),
            root.GetProperty("validator").GetString());
    }

    private string ReadText() => WorkFile.TryRead(_path, MaximumBytes) is { } bytes
        ? Encoding.UTF8.GetString(bytes)
        : throw new FormatException("it is too long, or no plain file");

    private static string ChecksumOf(string line) => BlobDigest.Of(Encoding.UTF8.GetBytes(line)).ToString();
}
