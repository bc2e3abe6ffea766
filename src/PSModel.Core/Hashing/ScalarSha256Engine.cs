using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace PSModel.Core.Hashing;

/// <summary>Plain C#, for any processor.</summary>
internal sealed class ScalarSha256Engine : Sha256Engine
{
    private const int BlockSize = 64;

    public override string Name => "C#";

#if NET
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
#endif
    public override void Compress(uint[] words, ReadOnlySpan<byte> blocks)
    {
        Span<uint> schedule = stackalloc uint[64];
        for (; blocks.Length >= BlockSize; blocks = blocks.Slice(BlockSize))
        {
            Expand(blocks, schedule);
            ScalarRounds.Run(words, schedule, stride: 1);
        }
    }

    /// <summary>The message schedule of one block, with the round constants added.</summary>
#if NET
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
#endif
    private static void Expand(ReadOnlySpan<byte> block, Span<uint> schedule)
    {
        for (int t = 0; t < 16; t++)
        {
            schedule[t] = BinaryPrimitives.ReadUInt32BigEndian(block.Slice(4 * t));
        }

        for (int t = 16; t < 64; t++)
        {
            schedule[t] = Sigma1(schedule[t - 2]) + schedule[t - 7] + Sigma0(schedule[t - 15]) + schedule[t - 16];
        }

        ReadOnlySpan<uint> k = Sha256Constants.K;
        for (int t = 0; t < 64; t++)
        {
            schedule[t] += k[t];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Sigma0(uint x) => ScalarRounds.RotateRight(x, 7) ^ ScalarRounds.RotateRight(x, 18) ^ (x >> 3);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Sigma1(uint x) => ScalarRounds.RotateRight(x, 17) ^ ScalarRounds.RotateRight(x, 19) ^ (x >> 10);
}
