using PSModel.Loopback;

namespace PSModel.Benchmarks.Servers;

/// <summary>The registry on loopback with a model for warming up, and each connection of the others held to a rate.</summary>
internal sealed class ThrottledRegistry : IAsyncDisposable
{
    private readonly LoopbackRegistry _registry = LoopbackRegistry.Start();

    /// <param name="bytesPerSecond">What a connection gives; 0 for no limit.</param>
    /// <param name="delay">What passes before each first byte.</param>
    public ThrottledRegistry(long bytesPerSecond, TimeSpan delay = default)
    {
        BytesPerSecond = bytesPerSecond;
        Delay = delay;
        Warm = _registry.Offer(BenchmarkModels.Warm);
        _registry.Fault = Answer;
    }

    public long BytesPerSecond { get; }

    public TimeSpan Delay { get; }

    /// <summary>The model for warming up, which comes as fast as it can.</summary>
    public string Warm { get; }

    public Uri Address => _registry.Address;

    /// <summary>The blobs' bytes sent so far, those for warming up included.</summary>
    public long BlobBytesSent => _registry.BlobBytesSent;

    /// <summary>What else is done to an answer with a measured blob.</summary>
    public Action<LoopbackRequest, LoopbackAnswer>? Fault { get; set; }

    /// <summary>What the rows that follow were measured with.</summary>
    public string Description =>
        $"from the registry on loopback{(BytesPerSecond == 0 ? string.Empty : $", {BytesPerSecond / (double)Units.MB:0.0} MB/s a connection")}, {Delay.TotalMilliseconds:0} ms before each first byte";

    public string Offer(LoopbackModel model) => _registry.Offer(model);

    public ValueTask DisposeAsync() => _registry.DisposeAsync();

    private void Answer(LoopbackRequest request, LoopbackAnswer answer)
    {
        if (BenchmarkModels.IsMeasured(request))
        {
            answer.BytesPerSecond = BytesPerSecond;
            answer.Delay = Delay;
            Fault?.Invoke(request, answer);
        }
    }
}
