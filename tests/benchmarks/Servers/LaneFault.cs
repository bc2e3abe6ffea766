using PSModel.Loopback;

namespace PSModel.Benchmarks.Servers;

/// <summary>
/// One connection of a run becomes slow, or silent, after some of its bytes, and stays so. Which one, and when, comes from a
/// seed: another connection in each run. Thread-safe.
/// </summary>
internal sealed class LaneFault(int seed, int lanes, long bytesOfLane, long slowRate)
{
    private readonly ConnectionBytes _connections = new();
    private readonly Random _random = new(seed);
    private readonly List<int> _left = [];
    private int _number;
    private long _after;
    private bool _hasStruck;

    /// <summary>What the runs so far met with.</summary>
    public List<string> Runs { get; } = [];

    /// <summary>In how many of them the connection lived to its fault.</summary>
    public int Strikes { get; private set; }

    /// <summary>Draws the next run's connection and byte.</summary>
    public void Draw()
    {
        lock (_left)
        {
            End();
            _connections.Clear();
            if (_left.Count == 0)
            {
                _left.AddRange(Enumerable.Range(1, lanes));
            }

            _number = _left[_random.Next(_left.Count)];
            _left.Remove(_number);
            _after = _random.NextInt64(bytesOfLane);
            _hasStruck = false;
        }
    }

    /// <summary>Takes note of the last run.</summary>
    public void End()
    {
        lock (_left)
        {
            if (_number > 0)
            {
                Strikes += _hasStruck ? 1 : 0;
                Runs.Add($"connection {_number} after {_after / (double)Units.MB:0.0} MB{(_hasStruck ? string.Empty : " (never carried so many: no fault)")}");
                _number = 0;
            }
        }
    }

    public void Strike(LoopbackRequest request, LoopbackAnswer answer)
    {
        lock (_left)
        {
            (int number, long before) = _connections.Note(request, answer);
            if (number != _number || before + answer.Length <= _after)
            {
                return;
            }

            _hasStruck = true;
            long into = Math.Max(0, _after - before);
            if (slowRate > 0)
            {
                answer.SlowAfter = into;
                answer.SlowBytesPerSecond = slowRate;
            }
            else
            {
                answer.StallAfter = into;
            }
        }
    }
}
