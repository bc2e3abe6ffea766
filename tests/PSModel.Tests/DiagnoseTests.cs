using System.Globalization;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>Machines that read or compute wrong, made by shims, and what Test-ModelBlob says of them.</summary>
public sealed class DiagnoseTests : IAsyncLifetime, IDisposable
{
    private const int Place = 1_234_567;

    private const string Show =
        "\"verdict $($d.Verdict)\"; \"map $($d.HasBlockMap)\"; $d.Reads | ForEach-Object { \"read $($_.ReadMode) $($_.Matches)\" }; "
        + "$d.DamagedRanges | ForEach-Object { \"range $($_.Pattern) $($_.Offset) $($_.Length)\" }; $d.Explanation";

    private readonly TemporaryFolder _folder = new();
    private readonly TemporaryFolder _store = new();
    private readonly LoopbackRegistry _registry = LoopbackRegistry.Start();
    private readonly LoopbackModel _model = LoopbackModel.Generate("library/demo", "latest", 5_000_000);
    private readonly string _name;

    public DiagnoseTests()
    {
        _name = _registry.Offer(_model);
        using EngineSession engine = new();
        Assert.Empty(engine.Run("param($name, $store) Save-ModelBlob $name $store -VerifyInline", _name, _store.Path).Errors);
    }

    [Fact]
    public async Task A_healthy_machine_is_healthy()
    {
        string[] lines = await DiagnoseAsync();
        Assert.Contains("verdict Healthy", lines);
        Assert.Contains("map True", lines);
        Assert.Equal(8, lines.Count(line => line.StartsWith("read ", StringComparison.Ordinal) && line.EndsWith(" True", StringComparison.Ordinal)));
    }

    [NeedsFact(ReadBackShim.Compiler)]
    public async Task Stale_runs_in_all_reads_are_unstable_reads()
    {
        string[] lines = await DiagnoseAsync(await ReadBackShim.CompileAsync(_folder.Path, _store.Path));
        Assert.Contains("verdict UnstableReads", lines);
        Assert.Contains("read MemoryMapped True", lines);
        Assert.All(Ranges(lines), range => Assert.Equal("CacheLineRuns", range.Pattern));
        Assert.All(Ranges(lines), range => Assert.Equal((0, 0), (range.Offset % 64, range.Length % 64)));
    }

    [NeedsFact(ReadBackShim.Compiler)]
    public async Task Stale_runs_in_cached_reads_alone_are_unstable_buffered_reads()
    {
        string[] lines = await DiagnoseAsync(await ReadBackShim.CompileAsync(_folder.Path, _store.Path, ("PSMODEL_SHIM_ONLY", "buffered")));
        Assert.Contains("verdict BufferedReadsUnstable", lines);
        Assert.Contains("read Unbuffered True", lines);
        Assert.NotEmpty(Ranges(lines));
        Assert.All(Ranges(lines), range => Assert.Equal("CacheLineRuns", range.Pattern));
        Assert.Contains("the disk holds the right bytes", lines[^1], StringComparison.Ordinal);
    }

    [NeedsFact(ReadBackShim.Compiler)]
    public async Task A_bit_that_is_always_read_wrong_is_located()
    {
        string[] lines = await DiagnoseAsync(await ReadBackShim.CompileAsync(
            _folder.Path, _store.Path, ("PSMODEL_SHIM_MODE", "bit"), ("PSMODEL_SHIM_AT", $"{Place}")));
        Assert.Contains("verdict UnstableReads", lines);
        Assert.Equal([("SingleBit", Place, 1)], Ranges(lines));
        Assert.Contains("memory", lines[^1], StringComparison.Ordinal);
    }

    [NeedsFact(ReadBackShim.Compiler)]
    public async Task A_page_that_the_cache_has_as_zeros_is_located()
    {
        const int Page = Place / 4096 * 4096;
        string[] lines = await DiagnoseAsync(await ReadBackShim.CompileAsync(
            _folder.Path, _store.Path, ("PSMODEL_SHIM_MODE", "zeros"), ("PSMODEL_SHIM_AT", $"{Page}"), ("PSMODEL_SHIM_ONLY", "buffered")));
        Assert.Contains("verdict BufferedReadsUnstable", lines);
        Assert.Equal([("ZeroedPages", Page, 4096)], Ranges(lines));
    }

    [NeedsFact(ReadBackShim.Compiler)]
    public async Task Without_a_map_the_reads_are_compared_with_each_other()
    {
        Directory.Delete(_store.Work, recursive: true);
        string[] lines = await DiagnoseAsync(await ReadBackShim.CompileAsync(
            _folder.Path, _store.Path, ("PSMODEL_SHIM_MODE", "bit"), ("PSMODEL_SHIM_AT", $"{Place}")));
        Assert.Contains("map False", lines);
        Assert.Contains("verdict UnstableReads", lines);
        Assert.Equal([("SingleBit", Place, 1)], Ranges(lines));
    }

    [NeedsFact(ReadBackShim.Compiler)]
    public async Task A_place_that_the_disk_never_gives_is_damage_on_the_disk()
    {
        string[] lines = await DiagnoseAsync(await ErrorAsync("everything"));
        Assert.Contains("verdict DamagedOnDisk", lines);
        Assert.Equal([("Unreadable", 1024 * 1024, 1024 * 1024)], Ranges(lines));

        // What the disk does not give would end the process in a mapping.
        Assert.DoesNotContain(lines, line => line.StartsWith("read MemoryMapped", StringComparison.Ordinal));
    }

    [NeedsFact(ReadBackShim.Compiler)]
    public async Task A_place_that_some_reads_do_not_give_is_no_sign_of_a_good_disk()
    {
        string[] lines = await DiagnoseAsync(await ErrorAsync("buffered"));
        Assert.Contains("verdict UnstableReads", lines);
        Assert.Equal([("Unreadable", 1024 * 1024, 1024 * 1024)], Ranges(lines));
    }

    [NeedsFact(ReadBackShim.Compiler)]
    public async Task A_small_blob_that_some_reads_do_not_give_is_not_healthy()
    {
        (string Name, string Value)[] shim = await ReadBackShim.CompileAsync(
            _folder.Path, _store.Path, ("PSMODEL_SHIM_MODE", "error"), ("PSMODEL_SHIM_AT", "5"), ("PSMODEL_SHIM_ONLY", "buffered"));
        string[] lines = await DiagnoseAsync(_model.Blobs[1].Digest, shim);
        Assert.Contains("verdict UnstableReads", lines);
    }

    [NeedsFact(ReadBackShim.Compiler)]
    public async Task A_machine_that_computes_wrong_is_told_from_a_disk_that_reads_wrong()
    {
        string[] lines = await DiagnoseAsync(await ReadBackShim.CompileMemoryAsync(_folder.Path));
        Assert.Contains("verdict UnstableMemory", lines);
        Assert.Empty(Ranges(lines));
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    public void Dispose()
    {
        _folder.Dispose();
        _store.Dispose();
    }

    private static (string Pattern, long Offset, long Length)[] Ranges(string[] lines) =>
        [.. lines.Where(line => line.StartsWith("range ", StringComparison.Ordinal))
            .Select(line => line.Split(' '))
            .Select(parts => (parts[1], long.Parse(parts[2], CultureInfo.InvariantCulture), long.Parse(parts[3], CultureInfo.InvariantCulture)))];

    private async Task<(string Name, string Value)[]> ErrorAsync(string only) => await ReadBackShim.CompileAsync(
        _folder.Path, _store.Path, ("PSMODEL_SHIM_MODE", "error"), ("PSMODEL_SHIM_AT", $"{Place}"), ("PSMODEL_SHIM_ONLY", only));

    private Task<string[]> DiagnoseAsync(params (string Name, string Value)[] environment) => DiagnoseAsync(_model.Blobs[0].Digest, environment);

    private async Task<string[]> DiagnoseAsync(string digest, (string Name, string Value)[] environment)
    {
        string script = $"$d = Test-ModelBlob {_name} '{_store.Path}' -Digest {digest} -Diagnose; {Show}";
        using ChildProcess process = ChildProcess.StartScript(script, environment);
        Assert.True(await process.WaitAsync() == 0, process.Error);
        return [.. process.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];
    }
}
