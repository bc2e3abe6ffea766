using PSModel.Core.Hashing;

namespace PSModel.Core.Tests;

/// <summary>The race in a time of the tests' own.</summary>
public sealed class EngineRaceTests
{
    private long _now;

    [Fact]
    public void The_fastest_wins()
    {
        Assert.Equal("60", Run(() => 0, 100, 60, 80));
        Assert.Equal("7", Run(() => 0, 7));
    }

    [Fact]
    public void The_processor_may_be_taken_away_for_a_while_at_any_moment()
    {
        foreach (int begin in Enumerable.Range(0, 40).Select(step => step * 50))
        {
            _now = 0;
            Assert.Equal("60", Run(() => _now >= begin && _now < begin + 1000 ? 500 : 0, 100, 60, 80));
        }
    }

    private string Run(Func<int> delay, params int[] ticks) =>
        EngineRace.Run([.. ticks.Select(each => new Runner(each, () => _now += each + delay()))], () => _now).Name;

    private sealed class Runner(int ticks, Action lap) : Sha256Engine
    {
        public override string Name => $"{ticks}";

        public override void Compress(uint[] words, ReadOnlySpan<byte> blocks) => lap();
    }
}
