#if NET
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace PSModel.Core.Hashing;

/// <summary>
/// Schedules of eight blocks and the rounds, both in vector registers. The rounds use the low lane alone: AVX-512VL has
/// rotates that keep their source and any function of three inputs in one instruction, which general registers lack.
/// </summary>
internal sealed class Avx512Sha256Engine : Sha256Engine
{
    private const byte ChooseTable = 0xCA;
    private const byte MajorityTable = 0xE8;
    private const byte XorTable = 0x96;

    private static readonly ScalarSha256Engine Remainder = new();

    public static bool IsSupported => Avx512F.VL.IsSupported && VectorSchedule.IsSupported;

    public override string Name => "C# with AVX-512";

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Compress(uint[] words, ReadOnlySpan<byte> blocks)
    {
        Span<uint> schedule = stackalloc uint[VectorSchedule.Words];
        for (; blocks.Length >= VectorSchedule.Bytes; blocks = blocks.Slice(VectorSchedule.Bytes))
        {
            VectorSchedule.Expand(blocks, schedule);
            for (int block = 0; block < VectorSchedule.Blocks; block++)
            {
                Rounds(words, ref schedule[block]);
            }
        }

        Remainder.Compress(words, blocks);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rounds(uint[] words, ref uint schedule)
    {
        Vector128<uint> a = Vector128.CreateScalarUnsafe(words[0]), b = Vector128.CreateScalarUnsafe(words[1]);
        Vector128<uint> c = Vector128.CreateScalarUnsafe(words[2]), d = Vector128.CreateScalarUnsafe(words[3]);
        Vector128<uint> e = Vector128.CreateScalarUnsafe(words[4]), f = Vector128.CreateScalarUnsafe(words[5]);
        Vector128<uint> g = Vector128.CreateScalarUnsafe(words[6]), h = Vector128.CreateScalarUnsafe(words[7]);

        for (int t = 0; t < 64; t += 8)
        {
            h = (h + Word(ref schedule, t)) + (Choose(e, f, g) + Sum1(e));
            d += h;
            h += Majority(a, b, c) + Sum0(a);

            g = (g + Word(ref schedule, t + 1)) + (Choose(d, e, f) + Sum1(d));
            c += g;
            g += Majority(h, a, b) + Sum0(h);

            f = (f + Word(ref schedule, t + 2)) + (Choose(c, d, e) + Sum1(c));
            b += f;
            f += Majority(g, h, a) + Sum0(g);

            e = (e + Word(ref schedule, t + 3)) + (Choose(b, c, d) + Sum1(b));
            a += e;
            e += Majority(f, g, h) + Sum0(f);

            d = (d + Word(ref schedule, t + 4)) + (Choose(a, b, c) + Sum1(a));
            h += d;
            d += Majority(e, f, g) + Sum0(e);

            c = (c + Word(ref schedule, t + 5)) + (Choose(h, a, b) + Sum1(h));
            g += c;
            c += Majority(d, e, f) + Sum0(d);

            b = (b + Word(ref schedule, t + 6)) + (Choose(g, h, a) + Sum1(g));
            f += b;
            b += Majority(c, d, e) + Sum0(c);

            a = (a + Word(ref schedule, t + 7)) + (Choose(f, g, h) + Sum1(f));
            e += a;
            a += Majority(b, c, d) + Sum0(b);
        }

        words[0] += a.ToScalar();
        words[1] += b.ToScalar();
        words[2] += c.ToScalar();
        words[3] += d.ToScalar();
        words[4] += e.ToScalar();
        words[5] += f.ToScalar();
        words[6] += g.ToScalar();
        words[7] += h.ToScalar();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Word(ref uint schedule, int t) =>
        Vector128.CreateScalarUnsafe(Unsafe.Add(ref schedule, t * VectorSchedule.Blocks));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Choose(Vector128<uint> e, Vector128<uint> f, Vector128<uint> g) =>
        Avx512F.VL.TernaryLogic(e, f, g, ChooseTable);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Majority(Vector128<uint> a, Vector128<uint> b, Vector128<uint> c) =>
        Avx512F.VL.TernaryLogic(a, b, c, MajorityTable);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Sum0(Vector128<uint> a) => Avx512F.VL.TernaryLogic(
        Avx512F.VL.RotateRight(a, 2), Avx512F.VL.RotateRight(a, 13), Avx512F.VL.RotateRight(a, 22), XorTable);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Sum1(Vector128<uint> e) => Avx512F.VL.TernaryLogic(
        Avx512F.VL.RotateRight(e, 6), Avx512F.VL.RotateRight(e, 11), Avx512F.VL.RotateRight(e, 25), XorTable);
}
#endif
