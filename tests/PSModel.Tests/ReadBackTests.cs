using System.Globalization;
using System.Text.RegularExpressions;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>On a machine that reads wrong, the difference between the wire and the disk is what PSModel is for.</summary>
public sealed class ReadBackTests : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly TemporaryFolder _store = new();
    private readonly LoopbackRegistry _registry = LoopbackRegistry.Start();
    private readonly LoopbackModel _model = LoopbackModel.Generate("library/demo", "latest", 20_000_000);

    /// <summary>Says how many bytes the process has had from disks so far, as <c>/proc</c> counts them.</summary>
    private const string CountReads = "function Count { [long](([IO.File]::ReadAllLines('/proc/self/io') -like 'read_bytes:*')[0] -replace '\\D') }; ";

    [NeedsFact(ReadBackShim.Compiler)]
    public async Task Reading_back_fails_and_says_that_the_storage_is_at_fault()
    {
        (string Name, string Value)[] shim = await ReadBackShim.CompileAsync(_folder.Path, _store.Path);
        string name = _registry.Offer(_model);
        string script = $"Save-ModelBlob {name} '{_store.Path}' -ErrorVariable e; $e[0].FullyQualifiedErrorId; $e[0].CategoryInfo.Category; $e[0].Exception.ActualDigest";

        HashSet<string> wrongDigests = [];
        for (int run = 0; run < 2; run++)
        {
            using ChildProcess process = ChildProcess.StartScript(script, shim);
            await process.WaitAsync();
            string output = process.Output + process.Error;
            Assert.Contains("ReadBackMismatch,PSModel", output, StringComparison.Ordinal);
            Assert.Contains("InvalidData", output, StringComparison.Ordinal);
            Assert.Contains("arrived right", output, StringComparison.Ordinal);
            Assert.Contains("-VerifyInline", output, StringComparison.Ordinal);
            Assert.Contains("Test-ModelBlob -LiteralPath", output, StringComparison.Ordinal);
            wrongDigests.Add(process.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1]);
        }

        // As in the report: another wrong digest each time.
        Assert.Equal(2, wrongDigests.Count);
        Assert.False(File.Exists(_store.Blob(_model.Blobs[0].Digest)));
        Assert.False(Directory.Exists(Path.Combine(_store.Path, "manifests")));
    }

    [NeedsFact(ReadBackShim.Compiler)]
    public async Task Verifying_inline_succeeds_and_the_file_is_right()
    {
        (string Name, string Value)[] shim = await ReadBackShim.CompileAsync(_folder.Path, _store.Path);
        string name = _registry.Offer(_model);

        using ChildProcess process = ChildProcess.StartScript($"Save-ModelBlob {name} '{_store.Path}' -VerifyInline", shim);

        Assert.Equal(0, await process.WaitAsync());
        byte[] bytes = await File.ReadAllBytesAsync(_store.Blob(_model.Blobs[0].Digest));
        Assert.Equal(_model.Blobs[0].Digest, $"sha256:{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes))}");
    }

    [NeedsFact(ReadBackShim.Compiler)]
    public async Task Testing_a_right_file_there_finds_a_mismatch()
    {
        (string Name, string Value)[] shim = await ReadBackShim.CompileAsync(_folder.Path, _store.Path);
        string name = _registry.Offer(_model);
        using ChildProcess saving = ChildProcess.StartScript($"Save-ModelBlob {name} '{_store.Path}' -VerifyInline");
        Assert.Equal(0, await saving.WaitAsync());

        using ChildProcess testing = ChildProcess.StartScript($"(Test-ModelBlob {name} '{_store.Path}').Status", shim);
        Assert.Equal(0, await testing.WaitAsync());
        Assert.Equal("DigestMismatch", testing.Output.Split('\n')[0].Trim());
    }

    [Fact]
    public async Task What_is_read_back_comes_from_the_disk()
    {
        string name = _registry.Offer(_model);
        string script = CountReads
            + $"$a = Count; $null = Save-ModelBlob {name} '{_store.Path}'; $b = Count; $null = Test-ModelBlob {name} '{_store.Path}'; $c = Count; $b - $a; $c - $b";

        using ChildProcess process = ChildProcess.StartScript(script);

        Assert.True(await process.WaitAsync() == 0, process.Error);
        long[] read = [.. process.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => long.Parse(line, CultureInfo.InvariantCulture))];
        Assert.Equal(2, read.Length);
        Assert.All(read, bytes => Assert.InRange(bytes, _model.Blobs[0].Length, long.MaxValue));
    }

    [Fact]
    public async Task Where_a_file_lies_in_memory_alone_that_is_told()
    {
        using TemporaryFolder memory = new("/dev/shm");
        string name = _registry.Offer(_model);
        using ChildProcess process = ChildProcess.StartScript($"Save-ModelBlob {name} '{memory.Path}' -Verbose; Test-ModelBlob {name} '{memory.Path}' -Verbose");
        Assert.True(await process.WaitAsync() == 0, process.Error);
        string told = process.Output + process.Error;
        Assert.Contains("may have been read back from memory", told, StringComparison.Ordinal);
        Assert.Contains("may have been read from memory", told, StringComparison.Ordinal);
    }

    [NeedsFact(ReadBackShim.Compiler)]
    public Task What_arrived_right_is_committed_later_without_the_network_and_can_be_diagnosed() => FailThenCommitAsync(20_000_000);

    [NeedsFact(ReadBackShim.Compiler)]
    public Task So_is_a_small_blob_which_has_no_checkpoints_underway() => FailThenCommitAsync(500_000);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    public void Dispose()
    {
        _folder.Dispose();
        _store.Dispose();
    }

    private async Task FailThenCommitAsync(int size)
    {
        (string Name, string Value)[] shim = await ReadBackShim.CompileAsync(_folder.Path, _store.Path, ("PSMODEL_SHIM_ONLY", "buffered"));
        LoopbackModel model = LoopbackModel.Generate("library/demo", "latest", size);
        string name = _registry.Offer(model);
        string digest = model.Blobs[0].Digest;
        string error;
        using (ChildProcess failing = ChildProcess.StartScript($"Save-ModelBlob {name} '{_store.Path}' -Digest {digest} -ErrorVariable e; $e[0].ErrorDetails.RecommendedAction", shim))
        {
            await failing.WaitAsync();
            error = failing.Output;
        }

        long sent = _registry.BlobBytesSent;
        string command = Regex.Match(error, "\"(Test-ModelBlob [^\"]+)\"").Groups[1].Value;
        using (ChildProcess diagnosing = ChildProcess.StartScript($"({command}).Verdict", shim))
        {
            Assert.True(await diagnosing.WaitAsync() == 0, diagnosing.Error);
            Assert.Equal("BufferedReadsUnstable", diagnosing.Output.Trim());
        }

        // Reading it once more is no reason to fetch it, and neither is failing once more.
        using (ChildProcess failing = ChildProcess.StartScript($"Save-ModelBlob {name} '{_store.Path}' -Digest {digest}", shim))
        {
            Assert.Equal(1, await failing.WaitAsync());
            Assert.Contains("arrived right", failing.Error, StringComparison.Ordinal);
        }

        using ChildProcess saving = ChildProcess.StartScript($"$b = Save-ModelBlob {name} '{_store.Path}' -Digest {digest} -VerifyInline; \"$($b.Status) $($b.Verification) $($b.BytesReceived) $($b.BytesResumed)\"", shim);
        Assert.True(await saving.WaitAsync() == 0, saving.Error);
        Assert.Equal($"Downloaded Inline 0 {size}", saving.Output.Trim());
        Assert.Equal(sent, _registry.BlobBytesSent);
        byte[] bytes = await File.ReadAllBytesAsync(_store.Blob(digest));
        Assert.Equal(digest, $"sha256:{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes))}");
        Assert.DoesNotContain(Directory.GetFiles(_store.Work), path => path.EndsWith("partial", StringComparison.Ordinal) || path.EndsWith("checkpoint", StringComparison.Ordinal));
    }
}
