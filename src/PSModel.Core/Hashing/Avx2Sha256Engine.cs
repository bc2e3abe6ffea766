#if NET
using System.Runtime.CompilerServices;

namespace PSModel.Core.Hashing;

/// <summary>Schedules of eight blocks in AVX2, rounds in general registers.</summary>
internal sealed class Avx2Sha256Engine : Sha256Engine
{
    private static readonly ScalarSha256Engine Remainder = new();

    public static bool IsSupported => VectorSchedule.IsSupported;

    public override string Name => "C# with AVX2";

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Compress(uint[] words, ReadOnlySpan<byte> blocks)
    {
        Span<uint> schedule = stackalloc uint[VectorSchedule.Words];
        for (; blocks.Length >= VectorSchedule.Bytes; blocks = blocks.Slice(VectorSchedule.Bytes))
        {
            VectorSchedule.Expand(blocks, schedule);
            for (int block = 0; block < VectorSchedule.Blocks; block++)
            {
                ScalarRounds.Run(words, schedule.Slice(block), VectorSchedule.Blocks);
            }
        }

        Remainder.Compress(words, blocks);
    }
}
#endif
