using PSModel.Core.Hashing;

namespace PSModel.Core.Tests;

/// <summary>The race in a time of the tests' own.</summary>
public sealed class EngineRaceTests
{
    private TimeSpan _now;

    [Fact]
    public void The_fastest_wins()
    {
        Assert.Equal("60 µs", Run(() => 0, 100, 60, 80));
        Assert.Equal("70 µs", Run(() => 0, 70));
    }

    [Fact]
    public void The_processor_may_be_taken_away_for_a_while_at_any_moment()
    {
        foreach (int begin in Enumerable.Range(0, 40).Select(step => step * 50))
        {
            _now = TimeSpan.Zero;
            Assert.Equal("60 µs", Run(() => _now >= Microseconds(begin) && _now < Microseconds(begin + 1000) ? 500 : 0, 100, 60, 80));
        }
    }

    [Fact]
    public void Nobody_runs_against_the_instructions_of_the_processor()
    {
        IEnumerable<Sha256Engine> Engines()
        {
            yield return new Runner(20, () => _now += Microseconds(20));
            Assert.Fail("The second engine was asked for.");
        }

        Assert.Equal("20 µs", EngineRace.Run(Engines(), () => _now).Name);
    }

    private static TimeSpan Microseconds(int count) => TimeSpan.FromTicks(count * TimeSpan.TicksPerMillisecond / 1000);

    private string Run(Func<int> delay, params int[] laps) =>
        EngineRace.Run(laps.Select(lap => new Runner(lap, () => _now += Microseconds(lap + delay()))), () => _now).Name;

    private sealed class Runner(int microseconds, Action lap) : Sha256Engine
    {
        public override string Name => $"{microseconds} µs";

        public override void Compress(uint[] words, ReadOnlySpan<byte> blocks) => lap();
    }
}
