using System.Management.Automation;
using System.Security.Cryptography;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

public sealed class RepairTests : IAsyncLifetime, IDisposable
{
    private const int MiB = 1024 * 1024;

    private const string Repair = "param($name, $store, $digest) Save-ModelBlob $name $store -Digest $digest -Repair -VerifyInline -Verbose";

    private readonly EngineSession _engine = new();
    private readonly TemporaryFolder _store = new();
    private readonly LoopbackRegistry _registry = LoopbackRegistry.Start();

    [Fact]
    public async Task Three_damaged_blocks_of_a_gibibyte_cost_four_mebibytes_at_most()
    {
        (string name, string digest) = Save(1024 * MiB);
        foreach (int at in new[] { 5, (300 * MiB) + 4096, (1023 * MiB) + 77 })
        {
            Damage(digest, at, [1, 2, 3, 4, 5]);
        }

        PSObject blob = RepairIt(name, digest, "Repaired");
        Assert.InRange((long)blob.Properties["BytesReceived"].Value, 3 * MiB, 4 * MiB);
        Assert.Equal(true, blob.Properties["Verified"].Value);
        Assert.Equal("ReadBack", blob.Properties["Verification"].Value);
        Assert.Equal(digest, _store.DigestOf(digest));
        Assert.Empty(Directory.GetFiles(_store.Work, "*.repair"));
    }

    [Fact]
    public void A_right_blob_is_read_and_not_fetched()
    {
        (string name, string digest) = Save(3 * MiB);
        long sent = _registry.BlobBytesSent;
        PSObject blob = RepairIt(name, digest, "AlreadyPresent");
        Assert.Equal(true, blob.Properties["Verified"].Value);
        Assert.Equal(sent, _registry.BlobBytesSent);
    }

    [Fact]
    public async Task What_is_missing_at_the_end_is_fetched()
    {
        (string name, string digest) = Save(20 * MiB);
        using (FileStream file = File.OpenWrite(_store.Blob(digest)))
        {
            file.SetLength((18 * MiB) + 5);
        }

        PSObject blob = RepairIt(name, digest, "Repaired");
        Assert.Equal(2L * MiB, blob.Properties["BytesReceived"].Value);
        Assert.Equal(digest, _store.DigestOf(digest));
    }

    [Fact]
    public async Task Without_a_map_the_whole_blob_is_fetched()
    {
        (string name, string digest) = Save(5 * MiB);
        Directory.Delete(_store.Work, recursive: true);
        Damage(digest, 100, [9, 9, 9]);

        PSObject blob = RepairIt(name, digest, "Repaired");
        Assert.Equal(5L * MiB, blob.Properties["BytesReceived"].Value);
        Assert.Equal(digest, _store.DigestOf(digest));
    }

    [Fact]
    public async Task Blocks_that_arrive_wrong_leave_the_old_blob_as_it_was()
    {
        (string name, string digest) = Save(5 * MiB);
        Damage(digest, 2 * MiB, [9, 9, 9]);
        string before = _store.DigestOf(digest);
        _registry.Fault = (request, answer) => answer.FlipAt = request.IsBlob ? (2 * MiB) + 1000 : null;

        EngineResult result = _engine.Run(Repair, name, _store.Path, digest);
        result.SingleError("DigestMismatch", ErrorCategory.InvalidData);
        Assert.Equal(before, _store.DigestOf(digest));
        Assert.Empty(Directory.GetFiles(_store.Work, "*.repair"));
    }

    [Fact]
    public async Task Cut_connections_are_replaced()
    {
        (string name, string digest) = Save(30 * MiB);
        for (int at = 3; at < 10; at++)
        {
            Damage(digest, at * MiB, [9, 9, 9]);
        }

        _registry.Fault = (request, answer) => answer.CutAfter = request.IsBlob ? 700_000 : null;
        PSObject blob = RepairIt(name, digest, "Repaired");
        Assert.InRange((int)blob.Properties["RetryCount"].Value, 5, 20);
        Assert.Equal(digest, _store.DigestOf(digest));
    }

    [Fact]
    public async Task A_registry_that_ignores_ranges_repairs_as_well()
    {
        (string name, string digest) = Save(5 * MiB);
        Damage(digest, 3 * MiB, [9, 9, 9]);
        _registry.Fault = (_, answer) => answer.SendWhole();
        RepairIt(name, digest, "Repaired");
        Assert.Equal(digest, _store.DigestOf(digest));
    }

    [Fact]
    public async Task A_registry_that_ignores_ranges_is_asked_once()
    {
        (string name, string digest) = Save(20 * MiB);
        foreach (int at in new[] { 2, 5, 9, 14 })
        {
            Damage(digest, at * MiB, [9, 9, 9]);
        }

        _registry.Fault = (_, answer) => answer.SendWhole();
        PSObject blob = RepairIt(name, digest, "Repaired");
        Assert.Equal(15L * MiB, blob.Properties["BytesReceived"].Value);
        Assert.Equal(digest, _store.DigestOf(digest));
    }

    [NeedsFact(ReadBackShim.Compiler)]
    public async Task A_right_blob_that_cannot_be_read_past_the_cache_is_not_fetched()
    {
        (string name, string digest) = Save(5 * MiB);
        long sent = _registry.BlobBytesSent;
        Assert.Equal("AlreadyPresent 0", await RepairWithErrorAsync(name, digest, "unbuffered"));
        Assert.Equal(sent, _registry.BlobBytesSent);
    }

    [NeedsFact(ReadBackShim.Compiler)]
    public async Task A_block_that_the_disk_does_not_give_is_fetched()
    {
        (string name, string digest) = Save(5 * MiB);
        Assert.Equal($"Repaired {MiB}", await RepairWithErrorAsync(name, digest, "blob"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_a_repair_that_was_killed_left_is_gone_after_the_next(bool hasMap)
    {
        (string name, string digest) = Save(5 * MiB);
        Damage(digest, 100, [9, 9, 9]);
        if (!hasMap)
        {
            Directory.Delete(_store.Work, recursive: true);
            Directory.CreateDirectory(_store.Work);
        }

        await File.WriteAllTextAsync(Path.Combine(_store.Work, $"{digest.Replace(':', '-')}.repair"), "left");
        RepairIt(name, digest, "Repaired");
        Assert.Empty(Directory.GetFiles(_store.Work, "*.repair"));
    }

    [Fact]
    public void Progress_ends_at_the_whole_also_where_nothing_was_wrong()
    {
        (string name, string digest) = Save(30 * MiB);
        EngineResult result = _engine.Run("param($name, $store, $digest) Save-ModelBlob $name $store -Digest $digest -Repair -IncludeProgress", name, _store.Path, digest);
        PSObject last = result.Output.Last(item => item.BaseObject.GetType().Name == "ModelBlobProgress");
        Assert.Equal(100, last.Properties["PercentComplete"].Value);
    }

    [Fact]
    public async Task What_was_wrong_is_named_in_the_story()
    {
        (string name, string digest) = Save(5 * MiB);
        byte old = (await File.ReadAllBytesAsync(_store.Blob(digest)))[(2 * MiB) + 9];
        Damage(digest, (2 * MiB) + 9, [(byte)(old ^ 2)]);
        EngineResult result = _engine.Run(Repair, name, _store.Path, digest);
        Assert.Contains(result.Verbose, line => line.Contains("1 × SingleBit", StringComparison.Ordinal));
    }

    [Fact]
    public async Task WhatIf_reads_and_changes_nothing()
    {
        (string name, string digest) = Save(5 * MiB);
        Damage(digest, 100, [9, 9, 9]);
        string before = _store.DigestOf(digest);
        long sent = _registry.BlobBytesSent;
        EngineResult result = _engine.Run("param($name, $store, $digest) Save-ModelBlob $name $store -Digest $digest -Repair -WhatIf", name, _store.Path, digest);
        Assert.Empty(result.Output);
        Assert.Equal(before, _store.DigestOf(digest));
        Assert.Equal(sent, _registry.BlobBytesSent);
    }

    [Fact]
    public async Task A_kill_in_the_middle_leaves_the_old_blob()
    {
        (string name, string digest) = Save(40 * MiB);
        Damage(digest, 2 * MiB, [9, 9, 9]);
        string before = _store.DigestOf(digest);
        _registry.Fault = (request, answer) => answer.StallAfter = request.IsBlob ? 500_000 : null;
        using (ChildProcess killed = ChildProcess.StartScript($"Save-ModelBlob {name} '{_store.Path}' -Digest {digest} -Repair -Verbose"))
        {
            await killed.WaitForAsync("are wrong; ");
            await killed.KillAsync();
        }

        Assert.Equal(before, _store.DigestOf(digest));
        _registry.Fault = null;
        RepairIt(name, digest, "Repaired");
        Assert.Equal(digest, _store.DigestOf(digest));
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    public void Dispose()
    {
        _engine.Dispose();
        _store.Dispose();
    }

    /// <summary>Repairs in a process whose disk does not give a byte of the second mebibyte of the blobs.</summary>
    private async Task<string> RepairWithErrorAsync(string name, string digest, string only)
    {
        // Only the blobs: the repaired copy lies on a part of the disk that is in order.
        using TemporaryFolder folder = new();
        (string Name, string Value)[] shim = await ReadBackShim.CompileAsync(
            folder.Path, _store.Blobs, ("PSMODEL_SHIM_MODE", "error"), ("PSMODEL_SHIM_AT", $"{MiB + 5}"), ("PSMODEL_SHIM_ONLY", only));
        using ChildProcess process = ChildProcess.StartScript(
            $"$b = Save-ModelBlob {name} '{_store.Path}' -Digest {digest} -Repair; \"$($b.Status) $($b.BytesReceived)\"", shim);
        Assert.True(await process.WaitAsync() == 0, process.Error);
        return process.Output.Trim();
    }

    private (string Name, string Digest) Save(long size)
    {
        LoopbackModel model = LoopbackModel.Generate("library/demo", "latest", size);
        string name = _registry.Offer(model);
        Assert.Empty(_engine.Run("param($name, $store) Save-ModelBlob $name $store -VerifyInline", name, _store.Path).Errors);
        return (name, model.Blobs[0].Digest);
    }

    private PSObject RepairIt(string name, string digest, string status)
    {
        EngineResult result = _engine.Run(Repair, name, _store.Path, digest);
        Assert.Empty(result.Errors);
        PSObject blob = Assert.Single(result.Output);
        Assert.Equal(status, blob.Properties["Status"].Value);
        return blob;
    }

    private void Damage(string digest, long at, byte[] bytes)
    {
        using FileStream file = File.OpenWrite(_store.Blob(digest));
        file.Position = at;
        file.Write(bytes);
    }
}
