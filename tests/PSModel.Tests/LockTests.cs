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

    /// <summary>One that is locked for a moment.</summary>
    private readonly BlobContent _small = BlobContent.Generate(1000, 2);

    [NeedsFact("strace")]
    public Task A_file_system_without_locks_is_refused() => RefusesAsync(_content, "flock:error=EOPNOTSUPP", "cannot be locked");

    [NeedsFact("strace")]
    public Task A_file_system_that_says_yes_to_every_lock_is_refused() => RefusesAsync(_content, "flock:retval=0", "can be taken twice");

    [NeedsTheory("strace")]
    [InlineData("EACCES")]
    [InlineData("ENOLCK")]
    public Task A_lock_that_is_refused_is_told_and_not_waited_for(string error) =>
        RefusesAsync(_small, $"fcntl:error={error}", "cannot be locked", "-P", Path.Combine(_store.Work, "lock"));

    [NeedsFact("strace")]
    public async Task A_small_blob_is_saved_where_files_cannot_be_locked_and_bytes_can()
    {
        using ChildProcess save = ChildProcess.Start(
            "strace", ["-f", "-qq", "-o", "/dev/null", "-e", "trace=flock", "-e", "inject=flock:error=EOPNOTSUPP", "dotnet", .. Pwsh.WithModule(SaveScript(Offer(_small)))]);
        Assert.True(await save.WaitAsync() == 0, save.Error);
        Assert.Equal("Downloaded 0", save.Output.Trim());
    }

    [NeedsTheory("strace")]
    [InlineData("error=EINVAL")]
    [InlineData("retval=0")]
    public async Task Where_bytes_cannot_be_locked_small_blobs_have_a_file_each(string injection)
    {
        string file = Path.Combine(_store.Work, $"{_small.Digest.Replace(':', '-')}.lock");
        using TemporaryFolder traces = new();
        string trace = Path.Combine(traces.Path, "trace");
        using ChildProcess save = ChildProcess.Start("strace", [
            "-f", "-qq", "-o", trace, "-P", Path.Combine(_store.Work, "lock"), "-P", file, "-e", "trace=openat,open,fcntl", "-e", $"inject=fcntl:{injection}",
            "dotnet", .. Pwsh.WithModule(SaveScript(Offer(_small)))]);
        Assert.True(await save.WaitAsync() == 0, save.Error);
        Assert.Equal("Downloaded 0", save.Output.Trim());
        string text = await File.ReadAllTextAsync(trace);
        Assert.Contains("F_OFD_SETLK", text, StringComparison.Ordinal);
        Assert.Contains(Path.GetFileName(file), text, StringComparison.Ordinal);
    }

    [Fact]
    public Task A_small_blob_that_another_process_fetches_is_waited_for() => KeepApartAsync(_small, stallAt: 500);

    /// <summary>.NET takes <c>EFBIG</c> for a wrong argument.</summary>
    [NeedsTheory("strace")]
    [InlineData("EFBIG")]
    [InlineData("EIO")]
    public async Task A_lock_whose_file_cannot_be_removed_is_let_go_all_the_same(string error)
    {
        string name = Offer(_content);
        string path = Path.Combine(_store.Work, $"{_content.Digest.Replace(':', '-')}.lock");
        using ChildProcess save = ChildProcess.Start("strace", [
            "-f", "-qq", "-o", "/dev/null", "-P", path, "-e", "trace=unlink,unlinkat", "-e", $"inject=unlink,unlinkat:error={error}",
            "dotnet", .. Pwsh.WithModule($"{SaveScript(name)}; {SaveScript(name, "-Force")}")]);
        Assert.True(await save.WaitAsync() == 0, save.Error);
        Assert.Equal("Downloaded 0\nDownloaded 0", save.Output.Trim().ReplaceLineEndings("\n"));
        Assert.True(File.Exists(path));
    }

    [Fact]
    public Task Processes_in_which_NET_takes_no_locks_keep_apart_all_the_same() =>
        KeepApartAsync(_content, stallAt: 4 * MiB, ("DOTNET_SYSTEM_IO_DISABLEFILELOCKING", "1"));

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    public void Dispose() => _store.Dispose();

    private static Action<LoopbackRequest, LoopbackAnswer> StallAt(long bytes) => (request, answer) => answer.StallAfter = request.IsBlob ? bytes : null;

    /// <summary>A second process waits while the first one is in the middle of a blob, and finds it there.</summary>
    private async Task KeepApartAsync(BlobContent content, long stallAt, params (string Name, string Value)[] environment)
    {
        string name = Offer(content);
        _registry.Fault = StallAt(stallAt);
        using ChildProcess first = ChildProcess.StartScript(SaveScript(name), environment);
        await WaitForBytesAsync(stallAt);
        using ChildProcess second = ChildProcess.StartScript(SaveScript(name, "-Verbose"), environment);
        await second.WaitForAsync("Another process is fetching");
        _registry.Fault = null;
        Assert.True(await first.WaitAsync() == 0, first.Error);
        Assert.True(await second.WaitAsync() == 0, second.Error);
        Assert.Contains("\nAlreadyPresent ", second.Output, StringComparison.Ordinal);
        Assert.Equal(content.Digest, _store.DigestOf(content.Digest));
    }

    /// <summary>A save under strace fails at once, and asks the registry for nothing.</summary>
    private async Task RefusesAsync(BlobContent content, string injection, string why, params string[] only)
    {
        string script = $"Save-ModelBlob {Offer(content)} '{_store.Path}' -VerifyInline -ErrorVariable e -ErrorAction SilentlyContinue; $e[0].FullyQualifiedErrorId; \"$($e[0])\"";
        using ChildProcess save = ChildProcess.Start(
            "strace",
            ["-f", "-qq", "-o", "/dev/null", .. only, "-e", $"trace={injection.Split(':')[0]}", "-e", $"inject={injection}", "dotnet", .. Pwsh.WithModule(script)]);
        await save.WaitAsync();
        Assert.StartsWith("BlobInUse,", save.Output, StringComparison.Ordinal);
        Assert.Contains(why, save.Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_store.Blobs));
        Assert.Equal(0, _registry.BlobBytesSent);
    }

    private string Offer(BlobContent content) => _registry.Offer(LoopbackModel.WithWeightsAlone("library/demo", "latest", content));

    private string SaveScript(string name, string more = "") =>
        $"$ProgressPreference = 'SilentlyContinue'; Save-ModelBlob {name} '{_store.Path}' -VerifyInline -RetryIntervalSec 0 -ThrottleLimit 1 {more} | ForEach-Object {{ \"$($_.Status) $($_.BytesResumed)\" }}";

    private Task WaitForBytesAsync(long bytes) => Until.HoldsAsync(() => _registry.BlobBytesSent >= bytes);
}
