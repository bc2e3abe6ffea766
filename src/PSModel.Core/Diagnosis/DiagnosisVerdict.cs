namespace PSModel.Core.Diagnosis;

/// <summary>What a diagnosis comes to. The names are those that scripts see.</summary>
public enum DiagnosisVerdict
{
    /// <summary>Every read in every mode gave the right bytes.</summary>
    Healthy,

    /// <summary>Every read in every mode gave the same wrong bytes.</summary>
    DamagedOnDisk,

    /// <summary>Reads of the same bytes differ.</summary>
    UnstableReads,

    /// <summary>Reads through the operating system's cache differ or are wrong, and those past it are right.</summary>
    BufferedReadsUnstable,

    /// <summary>The same bytes in memory gave different hashes; no file was needed for that.</summary>
    UnstableMemory,

    /// <summary>The file is shorter than the blob.</summary>
    Truncated,

    /// <summary>The file is something else than the blob.</summary>
    NotABlob,
}
