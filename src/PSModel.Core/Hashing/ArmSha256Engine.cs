#if NET
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using ArmSha256 = System.Runtime.Intrinsics.Arm.Sha256;

namespace PSModel.Core.Hashing;

/// <summary>
/// Arm's SHA-2 instructions, four rounds or four words of the schedule each: SHA256H, SHA256H2, SHA256SU0 and SHA256SU1 of
/// the Arm Architecture Reference Manual (FEAT_SHA256), for the rounds and the schedule of FIPS 180-4, 6.2.2.
/// </summary>
internal sealed class ArmSha256Engine : Sha256Engine
{
    private const int BlockSize = 64;

    public static bool IsSupported => ArmSha256.IsSupported && AdvSimd.IsSupported;

    public override string Name => "C# with Arm SHA-2";

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Compress(uint[] words, ReadOnlySpan<byte> blocks)
    {
        ref uint state = ref MemoryMarshal.GetArrayDataReference(words);
        ref uint k = ref MemoryMarshal.GetReference(Sha256Constants.K);
        Vector128<uint> abcd = Vector128.LoadUnsafe(ref state, 0), efgh = Vector128.LoadUnsafe(ref state, 4);

        for (; blocks.Length >= BlockSize; blocks = blocks.Slice(BlockSize))
        {
            Vector128<uint> abcdBefore = abcd, efghBefore = efgh;
            ref byte block = ref MemoryMarshal.GetReference(blocks);
            Vector128<uint> w0 = Load(ref block, 0), w1 = Load(ref block, 16);
            Vector128<uint> w2 = Load(ref block, 32), w3 = Load(ref block, 48);

            for (nuint t = 0; t < 48; t += 16)
            {
                Rounds(ref abcd, ref efgh, w0 + Vector128.LoadUnsafe(ref k, t));
                w0 = Next(w0, w1, w2, w3);
                Rounds(ref abcd, ref efgh, w1 + Vector128.LoadUnsafe(ref k, t + 4));
                w1 = Next(w1, w2, w3, w0);
                Rounds(ref abcd, ref efgh, w2 + Vector128.LoadUnsafe(ref k, t + 8));
                w2 = Next(w2, w3, w0, w1);
                Rounds(ref abcd, ref efgh, w3 + Vector128.LoadUnsafe(ref k, t + 12));
                w3 = Next(w3, w0, w1, w2);
            }

            Rounds(ref abcd, ref efgh, w0 + Vector128.LoadUnsafe(ref k, 48));
            Rounds(ref abcd, ref efgh, w1 + Vector128.LoadUnsafe(ref k, 52));
            Rounds(ref abcd, ref efgh, w2 + Vector128.LoadUnsafe(ref k, 56));
            Rounds(ref abcd, ref efgh, w3 + Vector128.LoadUnsafe(ref k, 60));
            abcd += abcdBefore;
            efgh += efghBefore;
        }

        abcd.StoreUnsafe(ref state, 0);
        efgh.StoreUnsafe(ref state, 4);
    }

    /// <summary>Four rounds; both halves of the new state come from both halves of the old one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Rounds(ref Vector128<uint> abcd, ref Vector128<uint> efgh, Vector128<uint> wk) =>
        (abcd, efgh) = (ArmSha256.HashUpdate1(abcd, efgh, wk), ArmSha256.HashUpdate2(efgh, abcd, wk));

    /// <summary>The four words of the schedule that follow the sixteen given.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Next(
        Vector128<uint> w0, Vector128<uint> w1, Vector128<uint> w2, Vector128<uint> w3) =>
        ArmSha256.ScheduleUpdate1(ArmSha256.ScheduleUpdate0(w0, w1), w2, w3);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Load(ref byte block, nuint offset) =>
        AdvSimd.ReverseElement8(Vector128.LoadUnsafe(ref block, offset).AsUInt32());
}
#endif
