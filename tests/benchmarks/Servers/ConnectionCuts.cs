using PSModel.Loopback;

namespace PSModel.Benchmarks.Servers;

/// <summary>Each connection is cut after some of its bytes, whatever the requests are that it carries. Thread-safe.</summary>
internal sealed class ConnectionCuts(int least, int most)
{
    private readonly ConnectionBytes _connections = new();
    private readonly Dictionary<int, long> _limits = [];
    private readonly Random _random = new(3);

    /// <summary>How many connections were cut so far.</summary>
    public int Count { get; private set; }

    public void Strike(LoopbackRequest request, LoopbackAnswer answer)
    {
        lock (_limits)
        {
            (_, long before) = _connections.Note(request, answer);
            if (!_limits.TryGetValue(request.Connection, out long limit))
            {
                _limits[request.Connection] = limit = _random.Next(least, most);
            }

            if (before + answer.Length > limit)
            {
                answer.CutAfter = Math.Max(0, limit - before);
                Count++;
            }
        }
    }
}
