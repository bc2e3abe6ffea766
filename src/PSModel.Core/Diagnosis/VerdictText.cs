using System.Runtime.InteropServices;
using PSModel.Core.Reading;

namespace PSModel.Core.Diagnosis;

/// <summary>Says in plain words what the evidence of a diagnosis points to, how sure that is, and what to try. The causes are
/// those that were reported for Ollama's "digest mismatch". Stateless and thread-safe.</summary>
internal static class VerdictText
{
    private const int MostPatterns = 2;

    /// <summary>What it points to.</summary>
    /// <param name="diagnosis">The diagnosis, with its verdict, reads and ranges.</param>
    /// <param name="facts">A sentence to begin with; may be empty.</param>
    public static string Explain(BlobDiagnosis diagnosis, string facts)
    {
        int right = diagnosis.Reads.Count(read => read.IsRight);
        string reads = $"{right} of {diagnosis.Reads.Count(read => read.Digest is not null || read.Error is not null)} reads gave the right digest.";
        string text = diagnosis.Verdict switch
        {
            DiagnosisVerdict.Healthy =>
                $"All {right} reads, from the disk and from the cache, gave the right digest. So the file is right, and nothing shows that it is read wrong; a fault that comes and goes may have kept still.",
            DiagnosisVerdict.DamagedOnDisk =>
                "Every read gave the same wrong bytes: with near certainty they are what the disk holds, and reading is in order.",
            DiagnosisVerdict.UnstableReads =>
                $"Reads of the same bytes differ or fail; {reads} That is certain, and no sound machine does that: the memory, the processor, or the disk with its cable, controller and driver changes bytes on their way.",
            DiagnosisVerdict.BufferedReadsUnstable =>
                $"Reads past the cache were right every time, and those through it were not; {reads} So the disk holds the right bytes, which is certain, and the cache gives others: the driver of the disk, or the memory that the cache lies in.",
            DiagnosisVerdict.UnstableMemory =>
                "The same bytes, hashed repeatedly, gave different results, and no disk had a part in that. It is certain that this machine computes wrong at times; whether memory or processor is the cause cannot be told from here.",
            DiagnosisVerdict.Truncated =>
                "The file ends early: a copy or a download that was broken off, or a full disk.",
            _ =>
                "The file is something else: another program put it there, or saved an error page under the blob's name.",
        };
        return string.Join(" ", new[] { facts, text, Pattern(diagnosis), Missing(diagnosis) }.Where(part => part.Length > 0));
    }

    /// <summary>What to try next.</summary>
    public static string Recommend(BlobDiagnosis diagnosis)
    {
        string repair = diagnosis.Target.Owner?.RepairCommand is { } command ? $"\"{command}\"" : "Save-ModelBlob, with the name of its model and -Repair,";
        return diagnosis.Verdict switch
        {
            DiagnosisVerdict.Healthy =>
                "Nothing is to be done. If a program still reports a mismatch, run this again while the machine is busy, and test the memory over a night.",
            DiagnosisVerdict.DamagedOnDisk =>
                $"{repair} fetches the damaged blocks again. If the damage comes back, test the memory (memtest86+) and look at the disk's health (smartctl -a).",
            DiagnosisVerdict.UnstableReads =>
                "Test the memory over a night (memtest86+) and take back any overclocking; then try the file on another disk. Do not fetch it again before: it may well be right, and the next copy will look just as wrong.",
            DiagnosisVerdict.BufferedReadsUnstable =>
                "The file is good: keep it. Update the kernel and the driver and firmware of the disk, or move the store to another disk, and test the memory; until then save with -VerifyInline and test with -ReadMode Unbuffered.",
            DiagnosisVerdict.UnstableMemory =>
                "Take back any overclocking or memory profile (XMP, EXPO), test the memory over a night (memtest86+), and trust nothing that this machine wrote meanwhile: test the blobs again afterwards.",
            DiagnosisVerdict.Truncated =>
                $"{repair} fetches what is missing.",
            _ =>
                $"{repair} replaces it; move a folder of that name away first.",
        };
    }

    /// <summary>The commonest patterns, which say most.</summary>
    private static string Pattern(BlobDiagnosis diagnosis) => string.Join(
        " ",
        diagnosis.DamagedRanges.GroupBy(range => range.Pattern)
            .OrderByDescending(group => group.Count())
            .Take(MostPatterns)
            .Select(group => Describe(group.Key, diagnosis.Verdict))
            .Where(text => text.Length > 0));

    private static string Describe(DamagePattern pattern, DiagnosisVerdict verdict) => pattern switch
    {
        DamagePattern.SingleBit =>
            "Single flipped bits are mostly the work of bad memory.",
        DamagePattern.CacheLineRuns =>
            "Damage in runs of 64 bytes, the unit of caches and of DMA, points to the driver or controller of the disk, less often to memory.",
        DamagePattern.ZeroedPages =>
            "Pages of zeros are mostly writes that were lost: a power cut, a full volume, or a fault of the file system.",
        DamagePattern.Markup =>
            "HTML or XML text is an error page that a server or proxy sent, and whoever downloaded the file wrote it into it.",
        DamagePattern.RepeatOfStart =>
            "The blob's beginning once more means that a proxy or server ignored a request for a range, and whoever downloaded the file did not notice.",
        DamagePattern.Unreadable =>
            "The disk reports errors: it is failing, or its cable is.",
        DamagePattern.Other when verdict == DiagnosisVerdict.DamagedOnDisk =>
            "What exactly is wrong in a block named Other cannot be told without the right bytes; -Repair -Verbose tells.",
        _ => string.Empty,
    };

    /// <summary>What could not be looked at makes the rest less certain.</summary>
    private static string Missing(BlobDiagnosis diagnosis)
    {
        if (diagnosis.Reads.Count <= 1)
        {
            return string.Empty;
        }

        // There F_NOCACHE keeps new pages out of the cache, and takes what is in it all the same.
        return RuntimeInformation.IsOSPlatform(OSPlatform.OSX) || !diagnosis.Reads.Any(read => read.Mode == ReadMode.Unbuffered && read.Digest is not null)
            ? "The file could not be read past the cache for certain here, so disk and cache are told apart less surely."
            : string.Empty;
    }
}
