using System.Management.Automation;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>Ctrl-C, and a downstream command that has had enough.</summary>
public sealed class StopTests : IAsyncLifetime, IDisposable
{
    private readonly EngineSession _engine = new();
    private readonly TemporaryFolder _store = new();
    private readonly LoopbackRegistry _registry = LoopbackRegistry.Start();
    private readonly LoopbackModel _model = LoopbackModel.Generate("library/demo", "latest", 40_000_000);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Ctrl_C_closes_every_file_and_keeps_what_arrived(bool isStalled)
    {
        TaskCompletionSource underway = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _registry.Fault = (request, answer) =>
        {
            if (request.IsBlob && request.Leaf == _model.Blobs[0].Digest)
            {
                answer.StallAfter = isStalled ? 10_000_000 : null;
                answer.BytesPerSecond = isStalled ? 0 : 8_000_000;
                underway.TrySetResult();
            }
        };
        using PowerShell shell = _engine.Shell("param($name, $store) Save-ModelBlob $name $store -VerifyInline");
        shell.AddArgument(_registry.Offer(_model)).AddArgument(_store.Path);

        IAsyncResult running = shell.BeginInvoke();
        await underway.Task;
        string partial = Path.Combine(_store.Work, $"{_model.Blobs[0].Digest.Replace(':', '-')}.partial");
        await WaitUntilAsync(() => File.Exists(partial) && new FileInfo(partial).Length > 1_000_000);
        await Task.Factory.FromAsync(shell.BeginStop, shell.EndStop, null).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Throws<PipelineStoppedException>(() => shell.EndInvoke(running));

        Assert.DoesNotContain(OpenFiles(), path => path.StartsWith(_store.Path, StringComparison.Ordinal));
        Assert.False(Directory.Exists(_store.Blobs));

        // The next call goes on from what was kept, and is right.
        _registry.Fault = null;
        EngineResult second = _engine.Run("param($name, $store) Save-ModelBlob $name $store -VerifyInline", _registry.Offer(_model), _store.Path);
        Assert.Empty(second.Errors);
        long resumed = (long)second.Of(_model.Blobs[0].Digest).Properties["BytesResumed"].Value;
        Assert.InRange(resumed, 1_000_000, _model.Blobs[0].Length);
        Assert.Equal(_model.Blobs[0].Length - resumed, second.Of(_model.Blobs[0].Digest).Properties["BytesReceived"].Value);
    }

    [Fact]
    public async Task Ctrl_C_ends_a_diagnosis_and_closes_its_file()
    {
        // A sparse file of zeros: large enough that a diagnosis cannot have ended before it is stopped.
        string blob = Path.Combine(_store.Path, $"sha256-{new string('0', 64)}");
        using (FileStream file = File.Create(blob))
        {
            file.SetLength(1L << 40);
        }

        using PowerShell shell = _engine.Shell("param($path) Test-ModelBlob -LiteralPath $path -Diagnose");
        shell.AddArgument(blob);
        TaskCompletionSource underway = new(TaskCreationOptions.RunContinuationsAsynchronously);
        shell.Streams.Progress.DataAdded += (_, _) => underway.TrySetResult();
        IAsyncResult running = shell.BeginInvoke();
        await underway.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await Task.Factory.FromAsync(shell.BeginStop, shell.EndStop, null).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Throws<PipelineStoppedException>(() => shell.EndInvoke(running));
        Assert.DoesNotContain(OpenFiles(), path => path.StartsWith(_store.Path, StringComparison.Ordinal));
        Assert.All(shell.Streams.Progress.Where(record => record.RecordType == ProgressRecordType.Processing), record => Assert.InRange(record.PercentComplete, 0, 100));
    }

    [Fact]
    public async Task Ctrl_C_ends_a_repair_and_leaves_the_old_blob()
    {
        string name = _registry.Offer(_model);
        Assert.Empty(_engine.Run("param($name, $store) Save-ModelBlob $name $store -VerifyInline", name, _store.Path).Errors);
        string blob = _store.Blob(_model.Blobs[0].Digest);
        byte[] damaged = await File.ReadAllBytesAsync(blob);
        damaged[20_000_000] ^= 1;
        await File.WriteAllBytesAsync(blob, damaged);
        TaskCompletionSource underway = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _registry.Fault = (request, answer) =>
        {
            if (request.IsBlob)
            {
                answer.StallAfter = 1000;
                underway.TrySetResult();
            }
        };

        using PowerShell shell = _engine.Shell("param($name, $store) Save-ModelBlob $name $store -Repair");
        shell.AddArgument(name).AddArgument(_store.Path);
        IAsyncResult running = shell.BeginInvoke();
        await underway.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await Task.Factory.FromAsync(shell.BeginStop, shell.EndStop, null).WaitAsync(TimeSpan.FromSeconds(30));

        Assert.Throws<PipelineStoppedException>(() => shell.EndInvoke(running));
        Assert.DoesNotContain(OpenFiles(), path => path.StartsWith(_store.Path, StringComparison.Ordinal));
        Assert.Equal(damaged, await File.ReadAllBytesAsync(blob));
        Assert.Empty(Directory.GetFiles(_store.Work, "*.repair"));
    }

    [Fact]
    public void A_downstream_break_ends_the_work_as_a_break()
    {
        string name = _registry.Offer(_model);
        EngineResult result = _engine.Run(
            "param($name, $store) foreach ($i in 1) { Save-ModelBlob $name $store -VerifyInline | ForEach-Object { $_; break } }; 'after'",
            name, _store.Path);

        Assert.Empty(result.Errors);
        Assert.Null(result.Thrown);
        Assert.Equal("after", result.Output[^1].BaseObject);
        Assert.Equal(2, result.Output.Count);
        Assert.False(Directory.Exists(Path.Combine(_store.Path, "manifests")));
        Assert.DoesNotContain(OpenFiles(), path => path.StartsWith(_store.Path, StringComparison.Ordinal));
    }

    [Fact]
    public void ErrorAction_Stop_ends_the_call_at_the_first_error()
    {
        EngineResult result = _engine.Run(
            "param($name, $store) Save-ModelBlob \"$name-none\", $name $store -VerifyInline -ErrorAction Stop", _registry.Offer(_model), _store.Path);

        ActionPreferenceStopException thrown = Assert.IsType<ActionPreferenceStopException>(result.Thrown);
        Assert.StartsWith("ManifestNotFound,", thrown.ErrorRecord.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_store.Path));
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    public void Dispose()
    {
        _engine.Dispose();
        _store.Dispose();
    }

    private static Task WaitUntilAsync(Func<bool> condition) => Until.HoldsAsync(condition, TimeSpan.FromSeconds(30));

    /// <summary>The files that this process has open, where the system tells.</summary>
    private static IEnumerable<string> OpenFiles() =>
        Directory.Exists("/proc/self/fd")
            ? Directory.GetFiles("/proc/self/fd").Select(link => new FileInfo(link).LinkTarget ?? string.Empty)
            : [];
}
