namespace PSModel.Core.Hashing;

/// <summary>Finds the fastest of some engines. Stateless and thread-safe.</summary>
/// <remarks>A blob is hashed for minutes by the engine that wins within milliseconds, in a process that is still starting. So
/// the engines run in turn, for less than a scheduler's slice each, and the best lap counts: whatever takes the processor away
/// for a while costs each of them some laps and none of them the race.</remarks>
internal static class EngineRace
{
    /// <summary>About 60 µs for libcrypto on a processor without SHA instructions.</summary>
    private const int LapBytes = 32 * 1024;

    private const int Laps = 12;

    /// <summary>Runs the race: some milliseconds, on the caller's thread.</summary>
    /// <param name="engines">The engines, at least one.</param>
    /// <param name="clock">Ticks of any length.</param>
    public static Sha256Engine Run(IReadOnlyList<Sha256Engine> engines, Func<long> clock)
    {
        byte[] blocks = new byte[LapBytes];
        uint[] words = new uint[8];
        long[] best = [.. engines.Select(_ => long.MaxValue)];
        for (int lap = 0; lap < Laps; lap++)
        {
            for (int i = 0; i < best.Length; i++)
            {
                long before = clock();
                engines[i].Compress(words, blocks);
                best[i] = Math.Min(best[i], clock() - before);
            }
        }

        return engines[Array.IndexOf(best, best.Min())];
    }
}
