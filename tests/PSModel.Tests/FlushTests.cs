using System.Globalization;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>Flushes that fail, once and never again, as the kernel tells of a lost write.</summary>
public sealed class FlushTests : IAsyncLifetime, IDisposable
{
    private const long MiB = 1024 * 1024;

    private readonly LoopbackRegistry _registry = LoopbackRegistry.Start();
    private readonly TemporaryFolder _store = new();
    private readonly TemporaryFolder _shim = new();
    private readonly BlobContent _content = BlobContent.Generate(64 * MiB, 1);

    private string Mark => Path.Combine(_shim.Path, "mark");

    [NeedsFact(ReadBackShim.Compiler)]
    public async Task Nothing_is_kept_where_a_flush_fails_while_the_transfer_does()
    {
        // The first checkpoint is due at 16 MiB. While it is being flushed the registry goes.
        string name = Offer();
        int served = 0;
        _registry.Fault = (request, answer) =>
        {
            if (request.IsBlob && Interlocked.Increment(ref served) == 1)
            {
                answer.CutAfter = 20 * MiB;
            }
            else if (request.IsBlob)
            {
                SpinWait.SpinUntil(() => File.Exists(Mark), TimeSpan.FromMinutes(1));
                answer.Become(404, "{}");
            }
        };
        using ChildProcess failing = ChildProcess.StartScript(SaveScript(name), await ReadBackShim.CompileFlushAsync(_shim.Path, "1", Mark));
        await failing.WaitAsync();
        Assert.StartsWith("StoreWriteFailed,", failing.Output, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_store.Work, "*.checkpoint"));
        Assert.Equal(0, await ResumeAsync(name));
    }

    [NeedsFact(ReadBackShim.Compiler)]
    public async Task A_failed_flush_fails_the_blob_and_what_was_safe_before_is_gone_on_with()
    {
        string name = Offer();
        _registry.Fault = (_, answer) => answer.BytesPerSecond = 32 * MiB;
        using ChildProcess failing = ChildProcess.StartScript(SaveScript(name), await ReadBackShim.CompileFlushAsync(_shim.Path, "2", Mark));
        await failing.WaitAsync();
        Assert.StartsWith("StoreWriteFailed,", failing.Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_store.Blobs));
        Assert.InRange(await ResumeAsync(name), 1, 48 * MiB);
    }

    [NeedsTheory("strace")]
    [InlineData("EIO", "StoreWriteFailed")]
    [InlineData("EROFS", "StoreNotWritable")]
    [InlineData("EINVAL", null)]
    [InlineData("EOPNOTSUPP", null)]
    public async Task A_folder_whose_sync_fails_fails_the_blob_unless_the_file_system_knows_none(string error, string? fault)
    {
        string name = Offer();
        Directory.CreateDirectory(_store.Blobs);
        using ChildProcess save = ChildProcess.Start("strace", [
            "-f", "-qq", "-o", "/dev/null", "-P", _store.Blobs, "-e", "trace=fsync", "-e", $"inject=fsync:error={error}", "dotnet", .. Pwsh.WithModule(SaveScript(name))]);
        await save.WaitAsync();
        Assert.Equal(fault ?? string.Empty, save.Output.Split(',')[0].Trim());
        Assert.Equal(fault is null, Directory.Exists(Path.Combine(_store.Path, "manifests")));
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    public void Dispose()
    {
        _store.Dispose();
        _shim.Dispose();
    }

    private string SaveScript(string name) =>
        $"Save-ModelBlob {name} '{_store.Path}' -VerifyInline -ThrottleLimit 1 -RetryIntervalSec 0 -ErrorVariable e -ErrorAction SilentlyContinue | Out-Null; $e.FullyQualifiedErrorId";

    /// <summary>Saves to the end on a disk that is in order.</summary>
    /// <returns>The bytes that were kept.</returns>
    private async Task<long> ResumeAsync(string name)
    {
        _registry.Fault = null;
        using ChildProcess second = ChildProcess.StartScript($"(Save-ModelBlob {name} '{_store.Path}' -VerifyInline).BytesResumed");
        Assert.True(await second.WaitAsync() == 0, second.Error);
        Assert.Equal(_content.Digest, _store.DigestOf(_content.Digest));
        return long.Parse(second.Output, CultureInfo.InvariantCulture);
    }

    private string Offer() => _registry.Offer(LoopbackModel.WithWeightsAlone("library/demo", "latest", _content));
}
