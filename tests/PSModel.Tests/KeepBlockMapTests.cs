using System.Management.Automation;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>Block maps of blobs that another program brought.</summary>
public sealed class KeepBlockMapTests : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly LoopbackRegistry _registry = LoopbackRegistry.Start();
    private readonly LoopbackModel _model = LoopbackModel.Generate("library/demo", "latest", 5_000_000);
    private readonly EngineSession _engine = new();
    private readonly OllamaStore _store;
    private readonly string _name;

    public KeepBlockMapTests()
    {
        _store = new OllamaStore(_folder.Path);
        _name = _registry.Offer(_model);
        _store.PutBlobs(_model);

        // The host of the registry, as every system can write it.
        _store.PutEntry(EntryKind.Copy, _model.Manifest, _registry.Address.Authority.Replace(":", "%3A", StringComparison.Ordinal), "library", "demo", "latest");
    }

    private string Blob => _folder.Blob(_model.Blobs[0].Digest);

    private string[] Maps => Directory.Exists(_folder.Work) ? Directory.GetFiles(_folder.Work, "*.blocks") : [];

    [Theory]
    [InlineData("")]
    [InlineData("-Diagnose")]
    [InlineData("-ReadMode Unbuffered")]
    public void After_a_good_read_damage_is_located_and_mended_by_blocks(string how)
    {
        Assert.Empty(Test(how).Errors);
        Assert.Empty(Maps);
        Assert.Empty(Test($"{how} -KeepBlockMap").Errors);
        Assert.Equal($"{_model.Blobs[0].Digest.Replace(':', '-')}.blocks", Path.GetFileName(Assert.Single(Maps)));

        Damage();
        PSObject found = Test("-Diagnose").Of(_model.Blobs[0].Digest);
        Assert.Equal((true, "DamagedOnDisk"), (found.Properties["HasBlockMap"].Value, found.Properties["Verdict"].Value));
        PSObject range = PSObject.AsPSObject(Assert.Single(((Array)found.Properties["DamagedRanges"].Value).Cast<object>()));
        Assert.InRange(3_000_000L, (long)range.Properties["Offset"].Value, (long)range.Properties["Offset"].Value + (long)range.Properties["Length"].Value - 1);

        EngineResult repaired = _engine.Run("Save-ModelBlob $args[0] $args[1] -Repair", _name, _folder.Path);
        Assert.Empty(repaired.Errors);
        Assert.Equal(("Repaired", 1024L * 1024), (repaired.Of(_model.Blobs[0].Digest).Properties["Status"].Value, repaired.Of(_model.Blobs[0].Digest).Properties["BytesReceived"].Value));
    }

    [Fact]
    public void Without_a_map_a_blob_that_Ollama_brought_is_diagnosed_and_repaired_as_a_whole()
    {
        Damage();
        PSObject found = Test("-Diagnose").Of(_model.Blobs[0].Digest);
        Assert.Equal((false, "DamagedOnDisk"), (found.Properties["HasBlockMap"].Value, found.Properties["Verdict"].Value));
        EngineResult repaired = _engine.Run("Save-ModelBlob $args[0] $args[1] -Repair", _name, _folder.Path);
        Assert.Empty(repaired.Errors);
        Assert.Equal(("Repaired", 5_000_000L), (repaired.Of(_model.Blobs[0].Digest).Properties["Status"].Value, repaired.Of(_model.Blobs[0].Digest).Properties["BytesReceived"].Value));
        Assert.Single(Maps);
    }

    [Fact]
    public void A_blob_that_is_wrong_leaves_none()
    {
        Damage();
        Assert.Contains("DigestMismatch", Test("-KeepBlockMap").Values("Status"));
        Assert.Empty(Maps);
    }

    [Fact]
    public void A_map_that_is_there_is_left_as_it_is()
    {
        Test("-KeepBlockMap");
        DateTime before = new(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(Maps[0], before);
        Test("-KeepBlockMap");
        Assert.Equal(before, File.GetLastWriteTimeUtc(Maps[0]));
    }

    [Fact]
    public void Files_that_lie_in_no_store_get_none()
    {
        string folder = Path.Combine(_folder.Path, "elsewhere", "deep");
        Directory.CreateDirectory(folder);
        File.Copy(Blob, Path.Combine(folder, Path.GetFileName(Blob)));
        EngineResult result = _engine.Run("Test-ModelBlob -LiteralPath $args[0] -KeepBlockMap", Path.Combine(folder, Path.GetFileName(Blob)));
        Assert.Equal("Valid", result.Values("Status").Single());
        Assert.Empty(result.Errors);
        Assert.False(Directory.Exists(Path.Combine(_folder.Path, "elsewhere", ".psmodel")));
    }

    [Fact]
    public void Where_it_cannot_be_written_that_is_an_error_beside_the_result()
    {
        File.WriteAllText(_folder.Work, "a file in its place");
        EngineResult result = Test("-KeepBlockMap");
        result.SingleError("StoreNotWritable", ErrorCategory.PermissionDenied);
        Assert.Equal(Enumerable.Repeat("Valid", 5), result.Values("Status"));
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    public void Dispose()
    {
        _engine.Dispose();
        _folder.Dispose();
    }

    private EngineResult Test(string how) => _engine.Run($"Test-ModelBlob $args[0] $args[1] {how}", _name, _folder.Path);

    private void Damage()
    {
        using FileStream file = File.OpenWrite(Blob);
        file.Seek(3_000_000, SeekOrigin.Begin);
        file.WriteByte(0x55);
    }
}
