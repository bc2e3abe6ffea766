using PSModel.Loopback;

namespace PSModel.Benchmarks.Servers;

/// <summary>The registry on loopback with a model for warming up, and each connection of the others held to a rate.</summary>
internal sealed class ThrottledRegistry : IAsyncDisposable
{
    private readonly LoopbackRegistry _registry = LoopbackRegistry.Start();

    /// <summary>A registry of its own: what is sent in vain where blobs come as fast as they can is no part of what is counted.</summary>
    private readonly LoopbackRegistry _warm = LoopbackRegistry.Start();

    /// <param name="bytesPerSecond">What a connection gives; 0 for no limit.</param>
    /// <param name="delay">What passes before each first byte.</param>
    public ThrottledRegistry(long bytesPerSecond, TimeSpan delay = default)
    {
        BytesPerSecond = bytesPerSecond;
        Delay = delay;
        Warm = _warm.Offer(BenchmarkModels.Warm);
        _registry.Fault = Answer;
    }

    public long BytesPerSecond { get; }

    public TimeSpan Delay { get; }

    /// <summary>The model for warming up, which comes as fast as it can.</summary>
    public string Warm { get; }

    public Uri Address => _registry.Address;

    /// <summary>The blobs' bytes sent so far, those for warming up aside.</summary>
    public long BlobBytesSent => _registry.BlobBytesSent;

    /// <summary>What else is done to an answer with a measured blob.</summary>
    public Action<LoopbackRequest, LoopbackAnswer>? Fault { get; set; }

    /// <summary>What the rows that follow were measured with.</summary>
    public string Description =>
        $"from the registry on loopback{(BytesPerSecond == 0 ? string.Empty : $", {BytesPerSecond / (double)Units.MB:0.0} MB/s a connection")}, {Delay.TotalMilliseconds:0} ms before each first byte";

    public string Offer(LoopbackModel model) => _registry.Offer(model);

    public async ValueTask DisposeAsync()
    {
        await _warm.DisposeAsync();
        await _registry.DisposeAsync();
    }

    private void Answer(LoopbackRequest request, LoopbackAnswer answer)
    {
        if (request.IsBlob)
        {
            answer.BytesPerSecond = BytesPerSecond;
            answer.Delay = Delay;
            Fault?.Invoke(request, answer);
        }
    }
}
