using System.Management.Automation;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>What is told beside the output: -Verbose, -Debug and progress.</summary>
public sealed class StreamTests : IAsyncLifetime, IDisposable
{
    private const int LinesOfABlob = 12;

    private readonly EngineSession _engine = new();
    private readonly TemporaryFolder _store = new();
    private readonly LoopbackRegistry _registry = LoopbackRegistry.Start();
    private readonly LoopbackModel _model = LoopbackModel.Generate("library/demo", "latest", 5_000_000);
    private readonly string _name;

    public StreamTests() => _name = _registry.Offer(_model);

    [Fact]
    public async Task Verbose_tells_a_resumed_and_often_cut_blob_in_a_dozen_lines()
    {
        // Another call is stopped in mid-blob first, and every connection of this one is cut.
        string weights = _model.Blobs[0].Digest;
        TaskCompletionSource stalled = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _registry.Fault = (request, answer) =>
        {
            if (request.IsBlob && request.Leaf == weights)
            {
                answer.StallAfter = 1_500_000;
                stalled.TrySetResult();
            }
        };
        using (PowerShell first = _engine.Shell("param($name, $store) Save-ModelBlob $name $store -VerifyInline"))
        {
            IAsyncResult running = first.AddArgument(_name).AddArgument(_store.Path).BeginInvoke();
            await stalled.Task.WaitAsync(TimeSpan.FromSeconds(30));
            string partial = Path.Combine(_store.Work, $"{weights.Replace(':', '-')}.partial");
            await Until.HoldsAsync(() => new FileInfo(partial) is { Exists: true, Length: > 0 });
            await Task.Factory.FromAsync(first.BeginStop, first.EndStop, null);
            Assert.Throws<PipelineStoppedException>(() => first.EndInvoke(running));
        }

        _registry.Fault = (request, answer) => answer.CutAfter = request.IsBlob && request.Leaf == weights ? Math.Min(answer.Length, 200_000) : null;
        EngineResult result = Run("Save-ModelBlob $name $store -RetryIntervalSec 0 -Verbose");

        Assert.Empty(result.Errors);
        Assert.True((int)result.Of(weights).Properties["RetryCount"].Value > LinesOfABlob);
        Assert.All(_model.Blobs, blob => Assert.InRange(result.Verbose.Count(line => line.Contains(blob.Digest, StringComparison.Ordinal)), 3, LinesOfABlob));
        Assert.InRange(result.Verbose.Count, 1, LinesOfABlob * _model.Blobs.Count);
        Assert.Contains(result.Verbose, line => line.StartsWith($"Going on with {weights} after ", StringComparison.Ordinal));
        Assert.Contains(result.Verbose, line => line.StartsWith($"{weights}: Downloaded, ", StringComparison.Ordinal) && line.Contains($"{result.Of(weights).Properties["RetryCount"].Value} retries", StringComparison.Ordinal));
        Assert.Contains(result.Verbose, line => line.EndsWith("its manifest is written.", StringComparison.Ordinal));
    }

    [Fact]
    public void Verbose_tells_what_was_read_and_found()
    {
        Assert.Contains(Run("Get-ModelManifest $name -Verbose").Verbose, line => line.Contains($"{_registry.Address}v2/library/demo/manifests/latest", StringComparison.Ordinal));
        Run("Save-ModelBlob $name $store -VerifyInline");

        EngineResult test = Run("Test-ModelBlob $name $store -Verbose");
        EngineResult diagnosis = Run("Test-ModelBlob $name $store -Diagnose -Quiet -Verbose");

        // Where the system's cache cannot be left aside, another line says so.
        Assert.Equal(_model.Blobs.Select(blob => _store.Blob(blob.Digest)), test.Verbose.Where(line => line.Contains(": Valid", StringComparison.Ordinal)).Select(line => line.Split(": Valid")[0]));
        Assert.Equal(_model.Blobs.Select(blob => _store.Blob(blob.Digest)), diagnosis.Verbose.Select(line => line.Split(": Healthy")[0]));
    }

    [Fact]
    public void Debug_shows_each_request_and_its_answer()
    {
        int redirects = 1;
        _registry.Fault = (request, answer) =>
        {
            if (request.IsBlob && Interlocked.Decrement(ref redirects) >= 0)
            {
                answer.RedirectTo($"{_registry.Address}v2/library/demo/blobs/{request.Leaf}?signature=secret");
            }
        };
        EngineResult result = Run("Save-ModelBlob $name $store -VerifyInline -Debug -ThrottleLimit 1");

        Assert.Empty(result.Errors);
        Assert.Equal(
            _registry.Requests.Select(request => request.Path.Split('?')[0]),
            result.Debug.Where(line => line.StartsWith("GET ", StringComparison.Ordinal)).Select(line => new Uri(line.Split(' ')[1]).AbsolutePath));
        Assert.Contains(result.Debug, line => line.Contains("→ 307", StringComparison.Ordinal));
        Assert.DoesNotContain(result.Debug, line => line.Contains("secret", StringComparison.Ordinal));
        Assert.Empty(Run("Save-ModelBlob $name $store -VerifyInline -Force").Debug);
    }

    [Fact]
    public void Debug_shows_requests_without_an_answer_as_well()
    {
        EngineResult result = _engine.Run(
            "param($name) Get-ModelManifest $name -MaximumRetryCount 2 -RetryIntervalSec 0 -Debug", $"{FreePort.FindAddress()}library/demo");
        result.SingleError("RegistryUnreachable", ErrorCategory.ConnectionError);
        Assert.Equal(3, result.Debug.Count(line => line.StartsWith("GET ", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("Save-ModelBlob $name $store -VerifyInline", true)]
    [InlineData("$ProgressPreference = 'SilentlyContinue'; Save-ModelBlob $name $store -VerifyInline", false)]
    [InlineData("Save-ModelBlob $name $store -VerifyInline -ProgressAction SilentlyContinue", false)]
    [InlineData("Save-ModelBlob $name $store -VerifyInline -ProgressAction Ignore", false)]
    [InlineData("$ProgressPreference = 'SilentlyContinue'; Save-ModelBlob $name $store -VerifyInline -ProgressAction Continue", true)]
    public void Progress_is_shown_where_it_is_wanted(string script, bool isShown)
    {
        EngineResult result = Run(script);
        Assert.Empty(result.Errors);
        Assert.Equal(_model.Blobs.Count, result.Output.Count);
        Assert.Equal(isShown, result.Progress.Count > 0);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    public void Dispose()
    {
        _engine.Dispose();
        _store.Dispose();
    }

    private EngineResult Run(string script) => _engine.Run($"param($name, $store) {script}", _name, _store.Path);
}
