using PSModel.Core.Blocks;
using PSModel.Core.Hashing;
using PSModel.Core.Names;
using PSModel.Core.Store;
using PSModel.TestParts;

namespace PSModel.Core.Tests;

public sealed class CheckpointFileTests : IDisposable
{
    private const long Size = 1000;

    private readonly TemporaryFolder _folder = new();
    private readonly BlobDigest _digest = BlobDigest.Parse($"sha256:{new string('a', 64)}");
    private readonly ModelStore _store;
    private readonly CheckpointFile _file;
    private readonly Checkpoint _checkpoint;

    public CheckpointFileTests()
    {
        _store = new ModelStore(_folder.Path);
        Directory.CreateDirectory(_store.Work);
        _file = new CheckpointFile(_store, _digest);
        Sha256 sha = new();
        sha.Append(new byte[300]);
        _checkpoint = new Checkpoint(Size, 300, new BlobHashState(sha.Export(), null), "\"etag\"");
        _file.Write(_checkpoint);
    }

    private string Path => System.IO.Path.Combine(_store.Work, $"{_digest.FileName}.checkpoint");

    [Fact]
    public void What_was_written_is_read()
    {
        Checkpoint? read = _file.TryRead(Size, partialLength: 300, out string? problem);
        Assert.Null(problem);
        Assert.Equal((_checkpoint.Size, _checkpoint.Offset, _checkpoint.Validator), (read!.Size, read.Offset, read.Validator));
        Assert.Equal(_checkpoint.State.Sha, read.State.Sha);
        Assert.Null(read.State.Blocks);
    }

    [Fact]
    public void The_mark_of_a_block_map_is_read_as_well()
    {
        BlockMark mark = new(3, [1_048_000, 2_000_000], new byte[16], [.. Enumerable.Range(0, 16).Select(i => (byte)i)]);
        _file.Write(_checkpoint with { State = _checkpoint.State with { Blocks = mark } });

        BlockMark read = _file.TryRead(Size, partialLength: 300, out _)!.State.Blocks!;
        Assert.Equal(mark.Count, read.Count);
        Assert.Equal(mark.Cuts, read.Cuts);
        Assert.Equal(mark.Tail, read.Tail);
        Assert.Equal(mark.Check, read.Check);
    }

    [Fact]
    public void Where_there_is_none_there_is_no_problem_either()
    {
        _file.Delete();
        Assert.Null(_file.TryRead(Size, 300, out string? problem));
        Assert.Null(problem);
    }

    [Fact]
    public void Any_changed_byte_is_found()
    {
        byte[] bytes = File.ReadAllBytes(Path);
        for (int i = 0; i < bytes.Length; i++)
        {
            byte[] damaged = (byte[])bytes.Clone();
            damaged[i] ^= 1;
            File.WriteAllBytes(Path, damaged);
            Assert.Null(_file.TryRead(Size, 300, out string? problem));
            Assert.NotNull(problem);
        }
    }

    [Fact]
    public void Any_shortened_file_is_found()
    {
        byte[] bytes = File.ReadAllBytes(Path);
        for (int length = 0; length < bytes.Length; length++)
        {
            File.WriteAllBytes(Path, bytes.AsSpan(0, length).ToArray());
            Assert.Null(_file.TryRead(Size, 300, out string? problem));
            Assert.NotNull(problem);
        }
    }

    [Fact]
    public void It_must_fit_the_blob_and_the_partial_file()
    {
        Assert.Null(_file.TryRead(Size + 1, 300, out string? otherSize));
        Assert.Contains("another size", otherSize, StringComparison.Ordinal);
        Assert.Null(_file.TryRead(Size, 299, out string? shorter));
        Assert.Contains("shorter", shorter, StringComparison.Ordinal);
        Assert.NotNull(_file.TryRead(Size, 400, out _));

        File.Copy(Path, System.IO.Path.Combine(_store.Work, $"sha256-{new string('b', 64)}.checkpoint"));
        CheckpointFile other = new(_store, BlobDigest.Parse($"sha256:{new string('b', 64)}"));
        Assert.Null(other.TryRead(Size, 300, out string? otherBlob));
        Assert.Contains("another blob", otherBlob, StringComparison.Ordinal);
    }

    [Fact]
    public void A_state_of_another_offset_is_refused()
    {
        _file.Write(_checkpoint with { Offset = 301 });
        Assert.Null(_file.TryRead(Size, 301, out string? problem));
        Assert.Contains("do not fit", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_version_is_refused()
    {
        string line = File.ReadAllText(Path).Split('\n')[0].Replace("\"version\":1", "\"version\":2", StringComparison.Ordinal);
        Sha256 sha = new();
        sha.Append(System.Text.Encoding.UTF8.GetBytes(line));
        File.WriteAllText(Path, $"{line}\n{BlobDigest.FromHash(sha.ComputeHash())}\n");
        Assert.Null(_file.TryRead(Size, 300, out string? problem));
        Assert.Contains("another version", problem, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();
}
