using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>Two machines on one share, neither of which sees the other's locks.</summary>
public sealed class SharedStoreTests : IAsyncLifetime, IDisposable
{
    private const long MiB = 1024 * 1024;

    private readonly LoopbackRegistry _registry = LoopbackRegistry.Start();
    private readonly TemporaryFolder _store = new();
    private readonly TemporaryFolder _first = new();
    private readonly TemporaryFolder _second = new();
    private readonly BlobContent _content = BlobContent.Generate(96 * MiB, 1);

    [NeedsFact(ReadBackShim.Compiler)]
    public async Task A_blob_is_right_that_both_fetch_and_the_first_ends_before_the_second()
    {
        // Both stand still, the second behind the checkpoint of the first, with which it began.
        _registry.Fault = (request, answer) => answer.StallAfter = StallAt(request, IsSecond(request) ? 34 * MiB : 40 * MiB);
        using ChildProcess first = await StartAsync(_first, 1, Offer("one"));
        await Until.HoldsAsync(() => Checkpoints().Any() && _registry.BlobBytesSent >= 40 * MiB);
        using ChildProcess second = await StartAsync(_second, 2, Offer("two"));
        await Until.HoldsAsync(() => _registry.BlobBytesSent >= 41 * MiB);

        _registry.Fault = (request, answer) => answer.StallAfter = IsSecond(request) ? StallAt(request, 34 * MiB) : null;
        Assert.True(await first.WaitAsync() == 0, first.Error);
        Assert.Equal("Downloaded 0", first.Output.Trim());
        Assert.Equal(_content.Digest, _store.DigestOf(_content.Digest));

        _registry.Fault = null;
        Assert.True(await second.WaitAsync() == 0, second.Error);
        Assert.Matches(@"^Downloaded [1-9]\d+", second.Output);
        Assert.Equal(_content.Digest, _store.DigestOf(_content.Digest));
    }

    [NeedsFact(ReadBackShim.Compiler)]
    public async Task One_goes_on_with_what_the_other_left_and_the_other_is_gone()
    {
        string name = Offer("one");
        _registry.Fault = (request, answer) => answer.StallAfter = StallAt(request, 40 * MiB);
        using (ChildProcess first = await StartAsync(_first, 1, name))
        {
            await Until.HoldsAsync(() => Checkpoints().Any() && _registry.BlobBytesSent >= 40 * MiB);
            await first.KillAsync();
        }

        _registry.Fault = null;
        long before = _registry.BlobBytesSent;
        using ChildProcess second = await StartAsync(_second, 2, name, "-Verbose");
        Assert.True(await second.WaitAsync() == 0, second.Error);
        Assert.Contains("Another machine left", second.Output, StringComparison.Ordinal);
        Assert.InRange(_registry.BlobBytesSent - before, 1, 84 * MiB);
        Assert.Equal(_content.Digest, _store.DigestOf(_content.Digest));
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    public void Dispose()
    {
        _store.Dispose();
        _first.Dispose();
        _second.Dispose();
    }

    private static bool IsSecond(LoopbackRequest request) => request.Path.Contains("/two/", StringComparison.Ordinal);

    private static long? StallAt(LoopbackRequest request, long offset) => request.IsBlob ? Math.Max(1, offset - (request.Range?.First ?? 0)) : null;

    private async Task<ChildProcess> StartAsync(TemporaryFolder shim, int host, string name, string more = "")
    {
        string script = $"$ProgressPreference = 'SilentlyContinue'; Save-ModelBlob {name} '{_store.Path}' -VerifyInline -RetryIntervalSec 0 -ThrottleLimit 1 -OperationTimeoutSeconds 3 {more} 4>&1 | ForEach-Object {{ if ($_ -is [System.Management.Automation.VerboseRecord]) {{ \"$_\" }} else {{ \"$($_.Status) $($_.BytesResumed)\" }} }}";
        return ChildProcess.StartScript(script, await ReadBackShim.CompileShareAsync(shim.Path, host));
    }

    private string Offer(string name) => _registry.Offer(LoopbackModel.WithWeightsAlone($"library/{name}", "latest", _content));

    private IEnumerable<string> Checkpoints() => Directory.Exists(_store.Work) ? Directory.EnumerateFiles(_store.Work, "*.checkpoint", SearchOption.AllDirectories) : [];
}
