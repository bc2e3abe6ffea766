using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>Locks that do not lock: nothing wrong may come of them.</summary>
public sealed class LockTests : IAsyncLifetime, IDisposable
{
    private const long MiB = 1024 * 1024;

    private readonly LoopbackRegistry _registry = LoopbackRegistry.Start();
    private readonly TemporaryFolder _store = new();
    private readonly BlobContent _content = BlobContent.Generate(64 * MiB, 1);

    [NeedsFact("strace")]
    public Task A_file_system_without_locks_is_refused() => RefusesAsync("flock:error=EOPNOTSUPP", "cannot be locked");

    [NeedsFact("strace")]
    public Task A_file_system_that_says_yes_to_every_lock_is_refused() => RefusesAsync("flock:retval=0", "can be taken twice");

    [NeedsTheory("strace")]
    [InlineData("EACCES")]
    [InlineData("ENOLCK")]
    public async Task A_lock_that_is_refused_is_told_and_not_waited_for(string error)
    {
        BlobContent small = BlobContent.Generate(1000, 4);
        string name = _registry.Offer(LoopbackModel.WithWeightsAlone("library/small", "latest", small));
        using ChildProcess save = ChildProcess.Start("strace", [
            "-f", "-qq", "-o", "/dev/null", "-P", Path.Combine(_store.Work, "lock"), "-e", "trace=fcntl", "-e", $"inject=fcntl:error={error}",
            "dotnet", .. Pwsh.WithModule($"{SaveScript(name, "-ErrorVariable e -ErrorAction SilentlyContinue")}; $e[0].FullyQualifiedErrorId; \"$($e[0])\"")]);
        await save.WaitAsync();
        Assert.StartsWith("BlobInUse,", save.Output, StringComparison.Ordinal);
        Assert.Contains("cannot be locked", save.Output, StringComparison.Ordinal);
        Assert.Equal(0, _registry.BlobBytesSent);
    }

    [NeedsFact("strace")]
    public async Task A_small_blob_is_saved_where_files_cannot_be_locked_and_bytes_can()
    {
        BlobContent small = BlobContent.Generate(1000, 5);
        string name = _registry.Offer(LoopbackModel.WithWeightsAlone("library/small", "latest", small));
        using ChildProcess save = ChildProcess.Start(
            "strace", ["-f", "-qq", "-o", "/dev/null", "-e", "trace=flock", "-e", "inject=flock:error=EOPNOTSUPP", "dotnet", .. Pwsh.WithModule(SaveScript(name))]);
        Assert.True(await save.WaitAsync() == 0, save.Error);
        Assert.Equal("Downloaded 0", save.Output.Trim());
    }

    [NeedsTheory("strace")]
    [InlineData("error=EINVAL")]
    [InlineData("retval=0")]
    public async Task Where_bytes_cannot_be_locked_small_blobs_have_a_file_each(string injection)
    {
        BlobContent small = BlobContent.Generate(1000, 2);
        string name = _registry.Offer(LoopbackModel.WithWeightsAlone("library/small", "latest", small));
        string file = Path.Combine(_store.Work, $"{small.Digest.Replace(':', '-')}.lock");
        using TemporaryFolder traces = new();
        string trace = Path.Combine(traces.Path, "trace");
        using ChildProcess save = ChildProcess.Start("strace", [
            "-f", "-qq", "-o", trace, "-P", Path.Combine(_store.Work, "lock"), "-P", file, "-e", "trace=openat,open,fcntl", "-e", $"inject=fcntl:{injection}",
            "dotnet", .. Pwsh.WithModule(SaveScript(name))]);
        Assert.True(await save.WaitAsync() == 0, save.Error);
        Assert.Equal("Downloaded 0", save.Output.Trim());
        string text = await File.ReadAllTextAsync(trace);
        Assert.Contains("F_OFD_SETLK", text, StringComparison.Ordinal);
        Assert.Contains(Path.GetFileName(file), text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_small_blob_that_another_process_fetches_is_waited_for()
    {
        BlobContent small = BlobContent.Generate(1000, 3);
        string name = _registry.Offer(LoopbackModel.WithWeightsAlone("library/small", "latest", small));
        _registry.Fault = StallAt(500);
        using ChildProcess first = ChildProcess.StartScript(SaveScript(name));
        await WaitForBytesAsync(500);
        using ChildProcess second = ChildProcess.StartScript(SaveScript(name, "-Verbose"));
        await second.WaitForAsync("Another process is fetching");
        _registry.Fault = null;
        Assert.True(await first.WaitAsync() == 0, first.Error);
        Assert.True(await second.WaitAsync() == 0, second.Error);
        Assert.Contains("\nAlreadyPresent ", second.Output, StringComparison.Ordinal);
        Assert.Equal(small.Digest, _store.DigestOf(small.Digest));
    }

    /// <summary>.NET takes <c>EFBIG</c> for a wrong argument.</summary>
    [NeedsTheory("strace")]
    [InlineData("EFBIG")]
    [InlineData("EIO")]
    public async Task A_lock_whose_file_cannot_be_removed_is_let_go_all_the_same(string error)
    {
        string name = Offer();
        string path = Path.Combine(_store.Work, $"{_content.Digest.Replace(':', '-')}.lock");
        using ChildProcess save = ChildProcess.Start("strace", [
            "-f", "-qq", "-o", "/dev/null", "-P", path, "-e", "trace=unlink,unlinkat", "-e", $"inject=unlink,unlinkat:error={error}",
            "dotnet", .. Pwsh.WithModule($"{SaveScript(name)}; {SaveScript(name, "-Force")}")]);
        Assert.True(await save.WaitAsync() == 0, save.Error);
        Assert.Equal("Downloaded 0\nDownloaded 0", save.Output.Trim().ReplaceLineEndings("\n"));
        Assert.True(File.Exists(path));
    }

    [Fact]
    public async Task Processes_in_which_NET_takes_no_locks_keep_apart_all_the_same()
    {
        (string, string) off = ("DOTNET_SYSTEM_IO_DISABLEFILELOCKING", "1");
        string name = Offer();
        _registry.Fault = StallAt(4 * MiB);
        using ChildProcess first = ChildProcess.StartScript(SaveScript(name), off);
        await WaitForBytesAsync(4 * MiB);
        using ChildProcess second = ChildProcess.StartScript(SaveScript(name, "-Verbose"), off);
        await second.WaitForAsync("Another process is fetching");
        _registry.Fault = null;
        Assert.True(await first.WaitAsync() == 0, first.Error);
        Assert.True(await second.WaitAsync() == 0, second.Error);
        Assert.Contains("\nAlreadyPresent ", second.Output, StringComparison.Ordinal);
        Assert.Equal(_content.Digest, _store.DigestOf(_content.Digest));
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    public void Dispose() => _store.Dispose();

    private static Action<LoopbackRequest, LoopbackAnswer> StallAt(long bytes) => (request, answer) => answer.StallAfter = request.IsBlob ? bytes : null;

    private async Task RefusesAsync(string injection, string why)
    {
        string script = $"Save-ModelBlob {Offer()} '{_store.Path}' -VerifyInline -ErrorVariable e -ErrorAction SilentlyContinue; $e[0].FullyQualifiedErrorId; \"$($e[0])\"";
        using ChildProcess save = ChildProcess.Start(
            "strace", ["-f", "-qq", "-o", "/dev/null", "-e", "trace=flock", "-e", $"inject={injection}", "dotnet", .. Pwsh.WithModule(script)]);
        await save.WaitAsync();
        Assert.StartsWith("BlobInUse,", save.Output, StringComparison.Ordinal);
        Assert.Contains(why, save.Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_store.Blobs));
        Assert.Equal(0, _registry.BlobBytesSent);
    }

    private string Offer() => _registry.Offer(LoopbackModel.WithWeightsAlone("library/demo", "latest", _content));

    private string SaveScript(string name, string more = "") =>
        $"$ProgressPreference = 'SilentlyContinue'; Save-ModelBlob {name} '{_store.Path}' -VerifyInline -RetryIntervalSec 0 -ThrottleLimit 1 {more} | ForEach-Object {{ \"$($_.Status) $($_.BytesResumed)\" }}";

    private Task WaitForBytesAsync(long bytes) => Until.HoldsAsync(() => _registry.BlobBytesSent >= bytes);
}
