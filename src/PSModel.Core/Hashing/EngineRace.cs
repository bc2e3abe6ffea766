namespace PSModel.Core.Hashing;

/// <summary>Finds the fastest of some engines. Stateless and thread-safe.</summary>
/// <remarks>A blob is hashed for minutes by the engine that wins within milliseconds, in a process that is still starting. So
/// the engines run in turn, for less than a scheduler's slice each, and the best lap counts: whatever takes the processor away
/// for a while costs each of them some laps and none of them the race.</remarks>
internal static class EngineRace
{
    private const int LapBytes = 32 * 1024;

    private const int Laps = 12;

    /// <summary>A gigabyte a second, which takes the processor's SHA instructions: without them libcrypto has about half, and
    /// the best C# of the spike 0.6. Whoever runs such a lap has won, and the others need not even be compiled.</summary>
    private static readonly TimeSpan LapOfShaInstructions = TimeSpan.FromTicks(LapBytes * TimeSpan.TicksPerSecond / 1_000_000_000);

    /// <summary>Runs the race on the caller's thread: less than a millisecond where the first engine has SHA instructions, else
    /// a few.</summary>
    /// <param name="engines">The engines, at least one; asked for one by one.</param>
    /// <param name="clock">The time since some moment.</param>
    public static Sha256Engine Run(IEnumerable<Sha256Engine> engines, Func<TimeSpan> clock)
    {
        byte[] blocks = new byte[LapBytes];
        uint[] words = new uint[8];
        Dictionary<Sha256Engine, TimeSpan> best = [];
        for (int lap = 0; lap < Laps && best.Count != 1; lap++)
        {
            foreach (Sha256Engine engine in lap == 0 ? engines : [.. best.Keys])
            {
                TimeSpan before = clock();
                engine.Compress(words, blocks);
                TimeSpan taken = clock() - before;
                if (taken < LapOfShaInstructions)
                {
                    return engine;
                }

                best[engine] = lap == 0 || taken < best[engine] ? taken : best[engine];
            }
        }

        return best.OrderBy(runner => runner.Value).First().Key;
    }
}
