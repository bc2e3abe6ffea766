using System.Text;
using PSModel.Core.Diagnosis;
using PSModel.Core.Hashing;
using PSModel.Core.Names;
using PSModel.Core.Reading;
using PSModel.Core.Store;
using PSModel.Core.Verification;
using PSModel.TestParts;

namespace PSModel.Core.Tests;

/// <summary>Files that are really damaged on the disk; reads that go wrong need a shim and a process of their own.</summary>
public sealed class BlobDiagnosisTests : IDisposable
{
    private const int MiB = 1024 * 1024;

    private readonly TemporaryFolder _folder = new();
    private readonly MemoryControl _control = new();
    private readonly byte[] _bytes = new byte[(4 * MiB) + 12_345];
    private readonly BlobDigest _digest;
    private readonly ModelStore _store;
    private readonly string _path;

    public BlobDiagnosisTests()
    {
        new Random(7).NextBytes(_bytes);
        _digest = BlobDigest.Of(_bytes);
        _store = new ModelStore(_folder.Path);
        _path = _store.BlobPath(_digest);
        Directory.CreateDirectory(_folder.Blobs);
        File.WriteAllBytes(_path, _bytes);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_healthy_blob_is_healthy_every_time(bool hasMap)
    {
        WriteMap(hasMap);
        for (int run = 0; run < 100; run++)
        {
            BlobDiagnosis diagnosis = await DiagnoseAsync();
            Assert.Equal(DiagnosisVerdict.Healthy, diagnosis.Verdict);
            Assert.Equal(hasMap, diagnosis.HasBlockMap);
            Assert.Empty(diagnosis.DamagedRanges);
            Assert.All(diagnosis.Reads, read => Assert.True(read.IsRight || read.Error is not null));
        }
    }

#if NET
    // Elsewhere than on Windows, the build for .NET Framework cannot read past the cache.
    [Fact]
    public async Task Every_mode_is_used_twice_and_the_cache_is_dropped_for_one()
    {
        BlobDiagnosis diagnosis = await DiagnoseAsync();
        Assert.Equal(
            [(ReadMode.Buffered, 4), (ReadMode.Unbuffered, 2), (ReadMode.MemoryMapped, 2)],
            diagnosis.Reads.GroupBy(read => read.Mode).Select(group => (group.Key, group.Count())));
        Assert.Equal(OperatingSystem.IsWindows() ? 0 : 2, diagnosis.Reads.Count(read => read.IsCacheDropped));
        Assert.All(diagnosis.Reads, read => Assert.Null(read.Error));
        Assert.Equal(diagnosis.TotalBytes, diagnosis.BytesRead);
    }
#endif

    [Theory]
    [InlineData(0)]
    [InlineData((2 * MiB) + 77)]
    [InlineData((4 * MiB) + 12_344)]
    public async Task A_flipped_bit_on_the_disk_is_found_in_its_block(int at)
    {
        WriteMap(true);
        Damage(at, [(byte)(_bytes[at] ^ 4)]);

        BlobDiagnosis diagnosis = await DiagnoseAsync();
        Assert.Equal(DiagnosisVerdict.DamagedOnDisk, diagnosis.Verdict);
        DamagedRange range = Assert.Single(diagnosis.DamagedRanges);
        Assert.Equal((at / MiB * (long)MiB, DamagePattern.Other), (range.Offset, range.Pattern));
        Assert.Single(diagnosis.Reads.Where(read => read.Error is null).Select(read => read.Digest).Distinct());
        Assert.Contains("-Repair", diagnosis.Recommendation, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Zeroed_pages_are_named()
    {
        WriteMap(true);
        Damage(MiB + (3 * 4096), new byte[2 * 4096]);
        Assert.Equal([(MiB + (3 * 4096), 2 * 4096, DamagePattern.ZeroedPages)], await RangesAsync());
    }

    [Theory]
    [InlineData("<!DOCTYPE html><html><body>502 Bad Gateway</body></html>\n")]
    [InlineData("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>")]
    public async Task The_page_of_a_server_in_the_middle_is_named(string page)
    {
        WriteMap(true);
        Damage((3 * MiB) + 100, [.. Encoding.ASCII.GetBytes(page), 0]);

        BlobDiagnosis diagnosis = await DiagnoseAsync();
        DamagedRange range = Assert.Single(diagnosis.DamagedRanges);
        Assert.Equal(((3 * MiB) + 100, page.Length, DamagePattern.Markup), (range.Offset, range.Length, range.Pattern));
        Assert.Contains("error page", diagnosis.Explanation, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_repeat_of_the_beginning_is_followed_over_blocks()
    {
        WriteMap(true);
        Damage((2 * MiB) + 500, _bytes.AsSpan(0, MiB + 9000).ToArray());
        Assert.Equal([((2 * MiB) + 500, MiB + 9000, DamagePattern.RepeatOfStart)], await RangesAsync());
    }

    [Fact]
    public async Task Pages_of_zeros_that_the_blob_has_by_itself_are_not_damage()
    {
        _bytes.AsSpan(2 * MiB + 4096, 4096).Clear();
        _bytes.AsSpan((3 * MiB) + 8192, 8192).Clear();
        File.WriteAllBytes(_path, _bytes);
        WriteMap(true);
        Damage((2 * MiB) + 500_000, [(byte)(_bytes[(2 * MiB) + 500_000] ^ 1)]);
        Assert.Equal([(2 * MiB, MiB, DamagePattern.Other)], await RangesAsync());
    }

    [Fact]
    public async Task Bytes_after_a_right_blob_are_damage_and_no_other_file()
    {
        WriteMap(true);
        File.WriteAllBytes(_path, [.. _bytes, 1, 2]);
        Assert.Equal([(_bytes.Length, 2, DamagePattern.Other)], await RangesAsync());
    }

    [Fact]
    public async Task An_error_page_of_unknown_size_is_no_blob()
    {
        File.WriteAllText(_path, "<html><body>403 Forbidden</body></html>");
        BlobDiagnosis diagnosis = new(new BlobTarget(_path, _digest, null, null, null), _control);
        await diagnosis.RunAsync(CancellationToken.None);
        Assert.Equal(DiagnosisVerdict.NotABlob, diagnosis.Verdict);
    }

    [Fact]
    public async Task A_blob_that_repeats_itself_is_not_taken_for_a_repeat()
    {
        _bytes.AsSpan(0, MiB).CopyTo(_bytes.AsSpan(MiB));
        _bytes.AsSpan(0, 2 * MiB).CopyTo(_bytes.AsSpan(2 * MiB));
        File.WriteAllBytes(_path, _bytes);
        WriteMap(true);
        Damage(MiB + 70_000, [1, 2, 3]);
        Assert.Equal([(MiB, MiB, DamagePattern.Other)], await RangesAsync());
    }

    [Fact]
    public async Task A_map_with_cuts_names_the_shorter_blocks()
    {
        WriteMap(true, 700_000, (2 * MiB) + 5, 3 * MiB);
        Assert.Equal(DiagnosisVerdict.Healthy, (await DiagnoseAsync()).Verdict);

        Damage(800_000, [(byte)(_bytes[800_000] + 1)]);
        Assert.Equal([(700_000, MiB - 700_000, DamagePattern.Other)], await RangesAsync());
    }

    [Fact]
    public async Task Without_a_map_the_damage_is_seen_and_not_located()
    {
        Damage(100, [1, 2, 3]);
        BlobDiagnosis diagnosis = await DiagnoseAsync();
        Assert.Equal(DiagnosisVerdict.DamagedOnDisk, diagnosis.Verdict);
        Assert.Empty(diagnosis.DamagedRanges);
        Assert.Contains("no block map", diagnosis.Explanation, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_damaged_map_is_not_believed()
    {
        WriteMap(true);
        string map = Directory.GetFiles(_folder.Work, "*.blocks").Single();
        byte[] content = File.ReadAllBytes(map);
        for (int at = 0; at < content.Length; at++)
        {
            byte[] damaged = (byte[])content.Clone();
            damaged[at] ^= 1;
            File.WriteAllBytes(map, damaged);
            Assert.Null(new BlockMapFile(_store, _digest).TryRead());
        }

        Assert.Equal(DiagnosisVerdict.Healthy, (await DiagnoseAsync()).Verdict);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_file_that_ends_early_is_truncated(bool hasMap)
    {
        WriteMap(hasMap);
        using (FileStream file = File.OpenWrite(_path))
        {
            file.SetLength((2 * MiB) + 10);
        }

        BlobDiagnosis diagnosis = await DiagnoseAsync();
        Assert.Equal(DiagnosisVerdict.Truncated, diagnosis.Verdict);
        DamagedRange range = Assert.Single(diagnosis.DamagedRanges);
        Assert.Equal(((2 * MiB) + 10, _bytes.Length - (2 * MiB) - 10, DamagePattern.Missing), (range.Offset, range.Length, range.Pattern));
    }

    [Theory]
    [InlineData("<html>Please sign in</html>")]
    [InlineData(null)]
    public async Task Something_else_under_the_name_is_no_blob(string? page)
    {
        WriteMap(true);
        byte[] foreign = page is null ? [.. Enumerable.Repeat((byte)1, 3 * MiB)] : Encoding.ASCII.GetBytes(page);
        File.WriteAllBytes(_path, foreign);
        Assert.Equal(DiagnosisVerdict.NotABlob, (await DiagnoseAsync()).Verdict);

        File.Delete(_path);
        Directory.CreateDirectory(_path);
        Assert.Equal(DiagnosisVerdict.NotABlob, (await DiagnoseAsync()).Verdict);
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_a_fault()
    {
        File.Delete(_path);
        BlobDiagnosis diagnosis = new(new BlobTarget(_path, _digest, null, null, null), _control);
        await diagnosis.RunAsync(CancellationToken.None);
        Assert.Equal(Faults.ModelFault.BlobNotFound, diagnosis.Fault!.Fault);
    }

    [Fact]
    public async Task An_empty_blob_is_healthy()
    {
        BlobDigest digest = BlobDigest.Of([]);
        string path = _store.BlobPath(digest);
        File.WriteAllBytes(path, []);
        BlobDiagnosis diagnosis = new(new BlobTarget(path, digest, 0, null, null), _control);
        await diagnosis.RunAsync(CancellationToken.None);
        Assert.Null(diagnosis.Fault);
        Assert.Equal(DiagnosisVerdict.Healthy, diagnosis.Verdict);
    }

    public void Dispose() => _folder.Dispose();

    private async Task<BlobDiagnosis> DiagnoseAsync()
    {
        BlobDiagnosis diagnosis = new(new BlobTarget(_path, _digest, _bytes.Length, null, null), _control);
        await diagnosis.RunAsync(CancellationToken.None);
        Assert.Null(diagnosis.Fault);
        Assert.NotEmpty(diagnosis.Explanation);
        Assert.NotEmpty(diagnosis.Recommendation);
        return diagnosis;
    }

    private async Task<IEnumerable<(long Offset, long Length, DamagePattern Pattern)>> RangesAsync()
    {
        BlobDiagnosis diagnosis = await DiagnoseAsync();
        Assert.Equal(DiagnosisVerdict.DamagedOnDisk, diagnosis.Verdict);
        return diagnosis.DamagedRanges.Select(range => (range.Offset, range.Length, range.Pattern));
    }

    private void Damage(int at, byte[] bytes)
    {
        using FileStream file = File.OpenWrite(_path);
        file.Position = at;
        file.Write(bytes);
    }

    /// <summary>Makes the map as a transfer does, with a restart at each cut.</summary>
    private void WriteMap(bool isWanted, params int[] cuts)
    {
        if (!isWanted)
        {
            return;
        }

        BlobHash hash = new();
        int from = 0;
        foreach (int cut in cuts)
        {
            hash.Append(_bytes.AsSpan(from, cut - from));
            BlobHashState state = hash.Export();
            byte[] finished = hash.Blocks!.Finished(0, state.Blocks!.Count);
            hash = new BlobHash(Sha256.Restore(state.Sha), Blocks.BlockMapBuilder.TryRestore(state.Blocks, finished, cut));
            from = cut;
        }

        hash.Append(_bytes.AsSpan(from));
        new BlockMapFile(_store, _digest).Write(hash.Blocks!.Finish());
    }
}
