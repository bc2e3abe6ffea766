using System.Text;
using CsCheck;
using PSModel.Core.Blocks;
using PSModel.Core.Diagnosis;
using PSModel.Core.Faults;
using PSModel.Core.Hashing;
using PSModel.Core.Names;
using PSModel.Core.Store;
using PSModel.Core.Verification;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Core.Tests.Hostile;

/// <summary>Checkpoints and block maps that somebody made up, right sums of theirs included.</summary>
public sealed class WorkFileProperties
{
    private const int Size = 2_500_000;
    private const int Kept = 1_300_000;

    private static readonly LoopbackModel Model = LoopbackModel.Generate("library/demo", "latest", Size);
    private static readonly BlobDigest Digest = BlobDigest.Parse(Model.Blobs[0].Digest);
    private static readonly byte[] Content = Model.Blobs[0].Piece(0, long.MaxValue).ToArray();
    private static readonly string State = StateAt(Kept);

    private static readonly Gen<string> Bytes = Gen.OneOf(
        Fuzz.Number,
        Fuzz.Text.Select(Json),
        Gen.Byte.Array[0, 120].Select(bytes => Json(Convert.ToBase64String(bytes))));

    private static readonly Gen<string> Offsets = Fuzz.Number.Array[0, 5].Select(numbers => $"[{string.Join(',', numbers)}]");

    private static readonly Gen<string> Mark =
        from count in Gen.OneOf(Gen.Const("1"), Fuzz.Number)
        from cuts in Gen.OneOf(Gen.Const("[]"), Offsets, Fuzz.Number)
        from tail in Gen.OneOf(Gen.Const("\"\""), Bytes)
        from check in Bytes
        select $$"""{"count":{{count}},"cuts":{{cuts}},"tail":{{tail}},"check":{{check}}}""";

    private static readonly Gen<string> Checkpoint =
        from version in Rarely("1")
        from digest in Rarely($"\"{Digest}\"")
        from size in Rarely($"{Size}")
        from offset in Rarely($"{Kept}")
        from state in Gen.Frequency((5, Gen.Const($"\"{State}\"")), (2, Bytes))
        from validator in Gen.OneOf(Gen.Const("null"), Bytes)
        from mark in Gen.OneOf(Mark, Bytes)
        select $$"""{"version":{{version}},"digest":{{digest}},"size":{{size}},"offset":{{offset}},"state":{{state}},"validator":{{validator}},"blocks":{{mark}}}""";

    private static readonly Gen<string> Map =
        from version in Rarely("1")
        from digest in Rarely($"\"{Digest}\"")
        from size in Gen.OneOf(Gen.Const($"{Size}"), Fuzz.Number)
        from blockSize in Rarely("1048576")
        from cuts in Gen.OneOf(Gen.Const("[]"), Offsets, Fuzz.Number)
        select $$"""{"version":{{version}},"digest":{{digest}},"size":{{size}},"blockSize":{{blockSize}},"cuts":{{cuts}}}""";

    [Fact]
    public void Any_checkpoint() => Checkpoint.Sample(CheckCheckpoint, iter: Fuzz.Cases / 3, print: Fuzz.Print);

    [Fact]
    public void Any_damage_of_a_checkpoint() => Fuzz.Damaged(Encoding.UTF8.GetBytes(Sealed(RightCheckpoint))).Sample(
        bytes => CheckResume(bytes, []), iter: Fuzz.Cases / 10, print: Fuzz.Print);

    [Fact]
    public void Any_block_map() => Gen.Select(Map, Gen.Int[0, 100]).Sample(
        (line, length) => CheckMap(SealedMap(line, length)), iter: 10 * Fuzz.Cases, print: map => $"{Fuzz.Print(map.Item1)}, {map.Item2}");

    [Fact]
    public void Any_damage_of_a_block_map() => Fuzz.Damaged(SealedMap(RightMap, 48)).Sample(CheckMap, iter: Fuzz.Cases, print: Fuzz.Print);

    /// <summary>Found by the properties, once.</summary>
    [Theory]
    [InlineData("""{"count":-1,"cuts":[],"tail":"","check":""}""")]
    [InlineData("""{"count":-2147483648,"cuts":[],"tail":"","check":"AAAAAAAAAAAAAAAAAAAAAA=="}""")]
    [InlineData("""{"count":2147483647,"cuts":[9223372036854775807],"tail":"","check":""}""")]
    [InlineData("""{"count":1,"cuts":null,"tail":"","check":""}""")]
    public void Found_in_checkpoints(string mark) =>
        CheckCheckpoint(RightCheckpoint.Replace("\"validator\":null", $"\"validator\":null,\"blocks\":{mark}", StringComparison.Ordinal));

    /// <summary>Found by the properties, once.</summary>
    [Theory]
    [InlineData("4611686018427387904", "[]", 48)]
    [InlineData("9223372036854775807", "[]", 48)]
    [InlineData("-9223372036854775808", "[]", 0)]
    [InlineData("2500000", "[2147483648,1]", 48)]
    [InlineData("2500000", "[-1]", 64)]
    [InlineData("2500000", "[0,0]", 64)]
    public void Found_in_block_maps(string size, string cuts, int length) =>
        CheckMap(SealedMap(RightMap.Replace("\"size\":2500000", $"\"size\":{size}", StringComparison.Ordinal).Replace("[]", cuts, StringComparison.Ordinal), length));

    [Fact]
    public void What_these_change_is_right()
    {
        using TemporaryFolder folder = new();
        Put(folder, "checkpoint", Encoding.UTF8.GetBytes(Sealed(RightCheckpoint)));
        Assert.NotNull(new CheckpointFile(new ModelStore(folder.Path), Digest).TryRead(Size, Kept, out _));
        Put(folder, "blocks", SealedMap(RightMap, 48));
        Assert.NotNull(new BlockMapFile(new ModelStore(folder.Path), Digest).TryRead());
    }

    private static string RightCheckpoint =>
        $$"""{"version":1,"digest":"{{Digest}}","size":{{Size}},"offset":{{Kept}},"state":"{{State}}","validator":null}""";

    private static string RightMap => $$"""{"version":1,"digest":"{{Digest}}","size":{{Size}},"blockSize":1048576,"cuts":[]}""";

    private static void CheckCheckpoint(string line) => CheckResume(Encoding.UTF8.GetBytes(Sealed(line)), new byte[32]);

    /// <summary>The save that finds it ends, and the one after that is right.</summary>
    private static void CheckResume(byte[] checkpoint, byte[] checksums)
    {
        using TemporaryFolder folder = new();
        Directory.CreateDirectory(Path.Combine(folder.Path, "store", ".psmodel"));
        Put(folder, "checkpoint", checkpoint, "store");
        Put(folder, "partial", Content[..Kept], "store");
        Put(folder, "blocks-partial", checksums, "store");
        LoopbackRegistry registry = LoopbackRegistry.Start();
        try
        {
            registry.Offer(Model);
            HostileSave first = new(folder.Path);
            first.RunAsync(registry.Address).GetAwaiter().GetResult();
            Assert.All(first.Faults, fault => Assert.Equal(ModelFault.DigestMismatch, fault.Fault));
            HostileSave second = new(folder.Path);
            second.RunAsync(registry.Address).GetAwaiter().GetResult();
            Assert.Empty(second.Faults);
        }
        finally
        {
            registry.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
    }

    private static void CheckMap(byte[] bytes)
    {
        using TemporaryFolder folder = new();
        Put(folder, "blocks", bytes);
        BlockMap? map = new BlockMapFile(new ModelStore(folder.Path), Digest).TryRead();
        if (map is null)
        {
            return;
        }

        // Blocks that follow one another, from the beginning to the end, none of them long.
        long end = 0;
        foreach (Block block in map.Layout.Blocks)
        {
            Assert.Equal(end, block.Start);
            Assert.InRange(block.Length, 1, BlockLayout.BlockSize);
            end = block.End;
        }

        Assert.Equal(map.Layout.Size, end);
        Assert.Equal(map.Layout.Blocks.Count, map.Checksums.Count);
        Assert.Equal(Enumerable.Range(0, map.Checksums.Count), map.Layout.Blocks.Select(block => map.Layout.IndexAt(block.Start)));
    }

    private static string Json(string text) => System.Text.Json.JsonSerializer.Serialize(text);

    private static Gen<string> Rarely(string right) => Gen.Frequency((12, Gen.Const(right)), (1, Fuzz.Number));

    private static void Put(TemporaryFolder folder, string kind, byte[] bytes, string store = "")
    {
        string work = Path.Combine(folder.Path, store, ".psmodel");
        Directory.CreateDirectory(work);
        File.WriteAllBytes(Path.Combine(work, $"{Digest.FileName}.{kind}"), bytes);
    }

    private static string Sealed(string line) => $"{line}\n{BlobDigest.Of(Encoding.UTF8.GetBytes(line))}\n";

    private static byte[] SealedMap(string line, int length)
    {
        byte[] content = [.. Encoding.UTF8.GetBytes($"{line}\n"), .. new byte[length]];
        return [.. content, .. Sha256.HashOf(content)];
    }

    private static string StateAt(int length)
    {
        Sha256 sha = new();
        sha.Append(Content.AsSpan(0, length));
        return Convert.ToBase64String(sha.Export());
    }
}
