#if NET
using System.Runtime.Intrinsics.X86;

namespace PSModel.Core.Hashing;

/// <summary>What .NET does not tell of the processor.</summary>
internal static class Cpu
{
    private const int ExtendedFeatures = 7;
    private const int ShaBit = 29;

    /// <summary>Whether an x86 processor has the SHA extensions: CPUID leaf 7, EBX, bit 29 (Intel SDM, volume 2A).</summary>
    public static bool HasShaInstructions { get; } =
        X86Base.IsSupported
        && X86Base.CpuId(0, 0).Eax >= ExtendedFeatures
        && (X86Base.CpuId(ExtendedFeatures, 0).Ebx & (1 << ShaBit)) != 0;
}
#endif
