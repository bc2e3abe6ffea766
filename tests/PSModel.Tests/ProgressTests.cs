using System.Globalization;
using System.Management.Automation;
using System.Text.RegularExpressions;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>What the progress bar says, and the objects of -IncludeProgress.</summary>
public sealed partial class ProgressTests : IAsyncLifetime, IDisposable
{
    private const int MB = 1024 * 1024;

    private readonly EngineSession _engine = new();
    private readonly TemporaryFolder _store = new();
    private readonly LoopbackRegistry _registry = LoopbackRegistry.Start();

    [Fact]
    public void The_speed_is_that_of_the_network_whatever_was_there_already()
    {
        LoopbackModel model = LoopbackModel.GenerateMany("library/demo", "latest", 5, 4 * MB);
        Directory.CreateDirectory(_store.Blobs);
        foreach (BlobContent blob in model.Blobs.Take(3))
        {
            File.WriteAllBytes(_store.Blob(blob.Digest), [.. Enumerable.Range(0, (int)(blob.Length / MB)).SelectMany(i => Bytes(blob, i * (long)MB))]);
        }

        EngineResult result = _engine.Run("param($name, $store) Save-ModelBlob $name $store -VerifyInline -BandwidthLimit 4MB", _registry.Offer(model), _store.Path);

        Assert.Empty(result.Errors);
        Assert.Equal(3, result.Values("Status").Count(status => "AlreadyPresent".Equals(status)));
        List<double> speeds = [.. result.Progress.Select(record => Speed().Match(record.StatusDescription)).Where(match => match.Success).Select(InMegabytes)];
        Assert.NotEmpty(speeds);
        Assert.All(speeds, speed => Assert.InRange(speed, 0, 6));
        Assert.All(result.Progress.Where(record => record.SecondsRemaining >= 0 && record.PercentComplete < 80 && Speed().IsMatch(record.StatusDescription)), record => Assert.InRange(record.SecondsRemaining, 1, 60));
    }

    [Fact]
    public void Calls_side_by_side_have_bars_of_their_own()
    {
        LoopbackModel model = LoopbackModel.Generate("library/demo", "latest", 3_000_000);
        const string Script = "param($name, $store) Save-ModelBlob $name $store -VerifyInline -Force; Test-ModelBlob $name $store";
        using EngineSession other = new();
        HashSet<int> first = [.. _engine.Run(Script, _registry.Offer(model), _store.Path).Progress.Select(record => record.ActivityId)];
        HashSet<int> second = [.. other.Run(Script, _registry.Offer(model), _store.Path).Progress.Select(record => record.ActivityId)];
        Assert.NotEmpty(first);
        Assert.NotEmpty(second);
        Assert.False(first.Overlaps(second));
    }

    [Fact]
    public void Looking_up_a_manifest_and_waiting_for_a_server_are_said_so()
    {
        LoopbackModel model = LoopbackModel.Generate("library/demo", "latest", 2_000_000);
        int answers = 0;
        _registry.Fault = (request, answer) =>
        {
            if (!request.IsBlob)
            {
                answer.Delay = TimeSpan.FromSeconds(1);
            }
            else if (Interlocked.Increment(ref answers) == 1)
            {
                answer.Become(503, "later");
                answer.Headers["Retry-After"] = "2";
            }
        };
        EngineResult result = _engine.Run("param($name, $store, $digest) Save-ModelBlob $name $store -VerifyInline -Digest $digest", _registry.Offer(model), _store.Path, model.Blobs[0].Digest);
        Assert.Empty(result.Errors);
        Assert.Contains(result.Progress, record => record.StatusDescription == "Looking up the manifest");
        Assert.Contains(result.Progress, record => record.StatusDescription.StartsWith("The registry asks to be left alone for ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Waiting_for_another_process_is_said_so()
    {
        LoopbackModel model = LoopbackModel.Generate("library/demo", "latest", 6_000_000);
        string name = _registry.Offer(model);
        using ManualResetEventSlim isWaiting = new();
        _registry.Fault = (request, answer) =>
        {
            if (request.IsBlob && request.Leaf == model.Blobs[0].Digest)
            {
                answer.Delay = isWaiting.Wait(TimeSpan.FromSeconds(30)) ? TimeSpan.Zero : TimeSpan.FromHours(1);
            }
        };
        using EngineSession other = new();
        Task<EngineResult> first = Task.Run(() => _engine.Run("param($name, $store) Save-ModelBlob $name $store -VerifyInline", name, _store.Path));
        SpinWait.SpinUntil(() => _registry.Requests.Any(request => request.Leaf == model.Blobs[0].Digest), TimeSpan.FromSeconds(30));
        using PowerShell shell = other.Shell("param($name, $store) Save-ModelBlob $name $store -VerifyInline");
        shell.AddArgument(name).AddArgument(_store.Path);
        shell.Streams.Progress.DataAdded += (_, _) =>
        {
            if (shell.Streams.Progress.Any(record => record.StatusDescription.StartsWith("Another process is fetching it", StringComparison.Ordinal)))
            {
                isWaiting.Set();
            }
        };
        IAsyncResult second = shell.BeginInvoke();
        Assert.Empty((await first).Errors);
        Assert.Equal(model.Blobs.Count, shell.EndInvoke(second).Count);
        Assert.True(isWaiting.IsSet);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _registry.DisposeAsync();

    public void Dispose()
    {
        _engine.Dispose();
        _store.Dispose();
    }

    private static byte[] Bytes(BlobContent blob, long offset)
    {
        using MemoryStream bytes = new();
        while (bytes.Length < MB && blob.Piece(offset + bytes.Length, MB - bytes.Length) is { IsEmpty: false } piece)
        {
            bytes.Write(piece.Span);
        }

        return bytes.ToArray();
    }

    private static double InMegabytes(Match speed) =>
        double.Parse(speed.Groups[1].Value, CultureInfo.CurrentCulture) * (speed.Groups[2].Value switch { "GB" => 1024, "MB" => 1, "KB" => 1 / 1024.0, _ => 0 });

    [GeneratedRegex(@"([\d.,]+) ([KMGT]?B)/s")]
    private static partial Regex Speed();
}
