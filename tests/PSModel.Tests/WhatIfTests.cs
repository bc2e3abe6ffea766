using System.Text.RegularExpressions;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>What -WhatIf says in real PowerShell.</summary>
public sealed class WhatIfTests : IAsyncLifetime, IDisposable
{
    private const int MiB = 1024 * 1024;

    private readonly TemporaryFolder _store = new();
    private readonly LoopbackRegistry _registry = LoopbackRegistry.Start();
    private readonly LoopbackModel _model = LoopbackModel.Generate("library/demo", "latest", 5 * MiB);
    private readonly LoopbackModel _second = LoopbackModel.Generate("library/second", "latest", 3 * MiB, seed: 2);

    [Fact]
    public async Task It_sums_up_what_would_be_fetched_what_is_there_and_the_room()
    {
        string names = $"'{_registry.Offer(_model)}', '{_registry.Offer(_second)}'";
        string[] first = await RunAsync($"{names} | Save-ModelBlob -StorePath '{_store.Path}' -WhatIf");
        int shared = _model.Blobs.Select(blob => blob.Digest).Intersect(_second.Blobs.Select(blob => blob.Digest)).Count();
        Assert.Equal(_second.Blobs.Count - 1, shared);
        int all = _model.Blobs.Count + _second.Blobs.Count - shared;
        Assert.Matches($"^What if: In all, {all} blobs of 8\\.00 MB would be fetched, 0 blobs of 0 B are there, and the volume of '{Regex.Escape(_store.Path)}' has room for [0-9.]+ [KMGT]B\\.$", first[^1]);
        Assert.Single(first, line => line.Contains("In all", StringComparison.Ordinal));
        Assert.False(Directory.Exists(_store.Blobs));

        await RunAsync($"$null = Save-ModelBlob {_registry.Offer(_model)} '{_store.Path}' -VerifyInline");
        string[] second = await RunAsync($"$WhatIfPreference = $true; $null = Save-ModelBlob {names} '{_store.Path}'");
        Assert.StartsWith($"What if: In all, 1 blob of 3.00 MB would be fetched, {_model.Blobs.Count} blobs of 5.00 MB are there, and ", second[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_earlier_calls_left_is_not_to_be_fetched_and_stays_as_it_is()
    {
        string name = _registry.Offer(_model);
        _registry.Fault = (request, answer) => answer.CutAfter = request.IsBlob && request.Leaf == _model.Blobs[0].Digest ? 2 * MiB : null;
        await RunAsync($"$null = Save-ModelBlob {name} '{_store.Path}' -VerifyInline -MaximumRetryCount 0 -ThrottleLimit 1 -ErrorAction Ignore; exit 0");
        _registry.Fault = null;
        string[] before = Files();
        Assert.Contains(before, file => file.Contains(".checkpoint", StringComparison.Ordinal));

        string[] lines = await RunAsync($"$null = Save-ModelBlob {name} '{_store.Path}' -WhatIf");

        Assert.Equal(before, Files());
        Assert.Contains("\"Download Model blob, 5.00 MB, 2.00 MB of it kept from earlier calls\"", lines[0], StringComparison.Ordinal);
        Assert.StartsWith($"What if: In all, 3.00 MB of 1 blob of 5.00 MB would be fetched, since 2.00 MB are kept from earlier calls, {_model.Blobs.Count - 1} blobs of ", lines[^1], StringComparison.Ordinal);
        string[] saved = await RunAsync($"(Save-ModelBlob {name} '{_store.Path}' -VerifyInline | Where-Object Status -eq Downloaded).BytesResumed");
        Assert.Equal($"{2 * MiB}", Assert.Single(saved));
    }

    [Fact]
    public async Task Of_a_complete_model_nothing_is_offered()
    {
        string name = _registry.Offer(_model);
        string[] lines = await RunAsync($"$null = Save-ModelBlob {name} '{_store.Path}' -VerifyInline; $null = Save-ModelBlob {name} '{_store.Path}' -WhatIf");
        Assert.StartsWith("What if: In all, 0 blobs of 0 B would be fetched, ", Assert.Single(lines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_it_nothing_is_summed_up()
    {
        Assert.Empty(await RunAsync($"$null = Save-ModelBlob {_registry.Offer(_model)} '{_store.Path}' -VerifyInline -WhatIf:$false"));
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    public void Dispose() => _store.Dispose();

    /// <summary>Every file and folder of the store, its size and when it was written.</summary>
    private string[] Files() =>
    [
        .. new DirectoryInfo(_store.Path).EnumerateFileSystemInfos("*", SearchOption.AllDirectories)
            .Select(entry => $"{entry.FullName} {(entry as FileInfo)?.Length} {entry.LastWriteTimeUtc:O}").Order(StringComparer.Ordinal),
    ];

    private static async Task<string[]> RunAsync(string script)
    {
        using ChildProcess process = ChildProcess.StartScript(script, ("LC_ALL", "C.UTF-8"), ("NO_COLOR", "1"));
        Assert.True(await process.WaitAsync() == 0, process.Error);
        return [.. process.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];
    }
}
