using PSModel.Loopback;

namespace PSModel.Benchmarks.Servers;

/// <summary>How far into each connection of a run an answer begins, for faults that strike a connection and not a request.</summary>
internal sealed class ConnectionBytes
{
    private readonly Dictionary<int, (int Number, long Bytes)> _connections = [];

    /// <summary>Forgets the connections of the run before.</summary>
    public void Clear()
    {
        lock (_connections)
        {
            _connections.Clear();
        }
    }

    /// <summary>Takes note of an answer.</summary>
    /// <returns>The connection's number in this run, from 1, and the bytes that it carried before this answer.</returns>
    public (int Number, long Before) Note(LoopbackRequest request, LoopbackAnswer answer)
    {
        lock (_connections)
        {
            (int number, long before) = _connections.GetValueOrDefault(request.Connection, (_connections.Count + 1, 0));
            _connections[request.Connection] = (number, before + answer.Length);
            return (number, before);
        }
    }
}
