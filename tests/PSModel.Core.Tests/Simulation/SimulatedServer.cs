namespace PSModel.Core.Tests.Simulation;

/// <summary>Decides from a seed what becomes of each request. Its faults end at some time, and it serves from then on.</summary>
internal sealed class SimulatedServer
{
    private readonly Random _random;
    private readonly double _faults;
    private readonly int _connections;

    public SimulatedServer(Random random)
    {
        _random = random;
        _faults = random.Next(3) == 0 ? 0 : random.NextDouble() * 0.6;
        Rate = Math.Pow(10, 2 + (random.NextDouble() * 3.5));
        _connections = random.Next(4) == 0 ? random.Next(1, 4) : int.MaxValue;
        FaultsEnd = _faults == 0 && _connections == int.MaxValue ? 0 : random.Next(0, 20_000);
    }

    /// <summary>The usual bytes a millisecond of a connection.</summary>
    public double Rate { get; }

    /// <summary>From then on it only serves.</summary>
    public long FaultsEnd { get; }

    public SimulatedAttempt Ask(int others, long now)
    {
        long latency = _random.Next(1, 200);
        double rate = Rate * (0.5 + _random.NextDouble());
        SimulatedAttempt good = new(latency, false, null, rate, long.MaxValue, long.MaxValue);
        if (now >= FaultsEnd)
        {
            return good;
        }

        if (others >= _connections)
        {
            return good with { IsRefused = true };
        }

        if (_random.NextDouble() >= _faults)
        {
            return good;
        }

        return _random.Next(7) switch
        {
            0 => good with { Latency = null },
            1 => good with { IsRefused = true },
            2 => good with { IsRefused = true, RetryAfter = _random.Next(1, 10_000) },
            3 => good with { CutAfter = _random.Next(0, 3_000_000) },
            4 => good with { StallAfter = _random.Next(0, 3_000_000) },
            5 => good with { Rate = 100 },
            _ => good with { Latency = _random.Next(200, 20_000) },
        };
    }
}
