using System.Runtime.CompilerServices;

namespace PSModel.Core.Hashing;

/// <summary>The 64 rounds of one block in general registers.</summary>
internal static class ScalarRounds
{
    /// <summary>Runs the rounds over a finished schedule.</summary>
    /// <param name="words">The eight words of the state.</param>
    /// <param name="schedule">W[t] + K[t] at index t · <paramref name="stride"/>.</param>
    /// <param name="stride">1, or the number of blocks whose schedules lie interleaved.</param>
#if NET
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
#endif
    public static void Run(uint[] words, ReadOnlySpan<uint> schedule, int stride)
    {
        uint a = words[0], b = words[1], c = words[2], d = words[3], e = words[4], f = words[5], g = words[6], h = words[7];
        int at = 0;
        for (int t = 0; t < 64; t += 8)
        {
            h += Sum1(e) + Choose(e, f, g) + schedule[at];
            d += h;
            h += Sum0(a) + Majority(a, b, c);
            at += stride;

            g += Sum1(d) + Choose(d, e, f) + schedule[at];
            c += g;
            g += Sum0(h) + Majority(h, a, b);
            at += stride;

            f += Sum1(c) + Choose(c, d, e) + schedule[at];
            b += f;
            f += Sum0(g) + Majority(g, h, a);
            at += stride;

            e += Sum1(b) + Choose(b, c, d) + schedule[at];
            a += e;
            e += Sum0(f) + Majority(f, g, h);
            at += stride;

            d += Sum1(a) + Choose(a, b, c) + schedule[at];
            h += d;
            d += Sum0(e) + Majority(e, f, g);
            at += stride;

            c += Sum1(h) + Choose(h, a, b) + schedule[at];
            g += c;
            c += Sum0(d) + Majority(d, e, f);
            at += stride;

            b += Sum1(g) + Choose(g, h, a) + schedule[at];
            f += b;
            b += Sum0(c) + Majority(c, d, e);
            at += stride;

            a += Sum1(f) + Choose(f, g, h) + schedule[at];
            e += a;
            a += Sum0(b) + Majority(b, c, d);
            at += stride;
        }

        words[0] += a;
        words[1] += b;
        words[2] += c;
        words[3] += d;
        words[4] += e;
        words[5] += f;
        words[6] += g;
        words[7] += h;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint RotateRight(uint x, int count) => (x >> count) | (x << (32 - count));

    // Two disjoint additions: one less on the chain of dependencies than ((f ^ g) & e) ^ g.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Choose(uint e, uint f, uint g) => (e & f) + (~e & g);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Majority(uint a, uint b, uint c) => ((a ^ b) & (b ^ c)) ^ b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Sum0(uint a) => RotateRight(a, 2) ^ RotateRight(a, 13) ^ RotateRight(a, 22);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Sum1(uint e) => RotateRight(e, 6) ^ RotateRight(e, 11) ^ RotateRight(e, 25);
}
