#if NET
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace PSModel.Core.Hashing;

/// <summary>
/// The message schedules of eight consecutive blocks at once, block i in lane i. The schedule depends on the message
/// alone, so blocks can be expanded together although their rounds must follow one another.
/// </summary>
internal static class VectorSchedule
{
    /// <summary>The blocks that are expanded together.</summary>
    public const int Blocks = 8;

    /// <summary>The bytes that eight blocks take.</summary>
    public const int Bytes = Blocks * 64;

    /// <summary>The words that eight schedules take.</summary>
    public const int Words = Blocks * 64;

    public static bool IsSupported => Avx2.IsSupported;

    /// <summary>Expands 512 bytes into W[t] + K[t] of block i at index 8 · t + i.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Expand(ReadOnlySpan<byte> blocks, Span<uint> schedule)
    {
        Span<Vector256<uint>> w = MemoryMarshal.Cast<uint, Vector256<uint>>(schedule);
        Transpose(ref MemoryMarshal.GetReference(blocks), w, 0);
        Transpose(ref MemoryMarshal.GetReference(blocks), w, 8);
        ReadOnlySpan<uint> k = Sha256Constants.K;

        // K is added to a word only when nothing after it depends on the plain word any more.
        for (int t = 16; t < 64; t++)
        {
            w[t] = Sigma1(w[t - 2]) + w[t - 7] + Sigma0(w[t - 15]) + w[t - 16];
            w[t - 16] += Vector256.Create(k[t - 16]);
        }

        for (int t = 48; t < 64; t++)
        {
            w[t] += Vector256.Create(k[t]);
        }
    }

    /// <summary>Loads eight words of each of the eight blocks, big-endian, and turns rows into columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose(ref byte blocks, Span<Vector256<uint>> w, int first)
    {
        Vector256<uint> r0 = Load(ref blocks, 0, first), r1 = Load(ref blocks, 1, first);
        Vector256<uint> r2 = Load(ref blocks, 2, first), r3 = Load(ref blocks, 3, first);
        Vector256<uint> r4 = Load(ref blocks, 4, first), r5 = Load(ref blocks, 5, first);
        Vector256<uint> r6 = Load(ref blocks, 6, first), r7 = Load(ref blocks, 7, first);

        Vector256<ulong> a0 = Avx2.UnpackLow(r0, r1).AsUInt64(), a1 = Avx2.UnpackHigh(r0, r1).AsUInt64();
        Vector256<ulong> a2 = Avx2.UnpackLow(r2, r3).AsUInt64(), a3 = Avx2.UnpackHigh(r2, r3).AsUInt64();
        Vector256<ulong> a4 = Avx2.UnpackLow(r4, r5).AsUInt64(), a5 = Avx2.UnpackHigh(r4, r5).AsUInt64();
        Vector256<ulong> a6 = Avx2.UnpackLow(r6, r7).AsUInt64(), a7 = Avx2.UnpackHigh(r6, r7).AsUInt64();

        Vector256<uint> b0 = Avx2.UnpackLow(a0, a2).AsUInt32(), b1 = Avx2.UnpackHigh(a0, a2).AsUInt32();
        Vector256<uint> b2 = Avx2.UnpackLow(a1, a3).AsUInt32(), b3 = Avx2.UnpackHigh(a1, a3).AsUInt32();
        Vector256<uint> b4 = Avx2.UnpackLow(a4, a6).AsUInt32(), b5 = Avx2.UnpackHigh(a4, a6).AsUInt32();
        Vector256<uint> b6 = Avx2.UnpackLow(a5, a7).AsUInt32(), b7 = Avx2.UnpackHigh(a5, a7).AsUInt32();

        const byte LowHalves = 0x20;
        const byte HighHalves = 0x31;
        w[first] = Avx2.Permute2x128(b0, b4, LowHalves);
        w[first + 1] = Avx2.Permute2x128(b1, b5, LowHalves);
        w[first + 2] = Avx2.Permute2x128(b2, b6, LowHalves);
        w[first + 3] = Avx2.Permute2x128(b3, b7, LowHalves);
        w[first + 4] = Avx2.Permute2x128(b0, b4, HighHalves);
        w[first + 5] = Avx2.Permute2x128(b1, b5, HighHalves);
        w[first + 6] = Avx2.Permute2x128(b2, b6, HighHalves);
        w[first + 7] = Avx2.Permute2x128(b3, b7, HighHalves);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Load(ref byte blocks, int block, int word)
    {
        Vector256<byte> swap = Vector256.Create(
            (byte)3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12,
            3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12);
        return Avx2.Shuffle(Vector256.LoadUnsafe(ref blocks, (nuint)((block * 64) + (word * 4))), swap).AsUInt32();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Sigma0(Vector256<uint> x) => Xor(Rotate(x, 7), Rotate(x, 18), x >>> 3);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Sigma1(Vector256<uint> x) => Xor(Rotate(x, 17), Rotate(x, 19), x >>> 10);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Rotate(Vector256<uint> x, [System.Diagnostics.CodeAnalysis.ConstantExpected] byte count) =>
        Avx512F.VL.IsSupported ? Avx512F.VL.RotateRight(x, count) : (x >>> count) | (x << (32 - count));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Xor(Vector256<uint> x, Vector256<uint> y, Vector256<uint> z) =>
        Avx512F.VL.IsSupported ? Avx512F.VL.TernaryLogic(x, y, z, 0x96) : x ^ y ^ z;
}
#endif
