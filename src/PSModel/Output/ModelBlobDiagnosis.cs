namespace PSModel;

/// <summary>What is wrong with a blob's file, and where. Plain values, so that it survives remoting. Sizes are in bytes.</summary>
public sealed class ModelBlobDiagnosis
{
    internal ModelBlobDiagnosis()
    {
    }

    /// <summary>The model's name in its shortest form, where one is known.</summary>
    public string? Name { get; internal set; }

    /// <summary>Where the blob is wrong: the registry that its model came from, if that is not https and the name's host.</summary>
    public string? Origin { get; internal set; }

    /// <summary>Where the blob is wrong: the runner for which its model was chosen from a list.</summary>
    public string? Runner { get; internal set; }

    /// <summary>The expected digest.</summary>
    public string? Digest { get; internal set; }

    /// <summary>The blob's file.</summary>
    public string? Path { get; internal set; }

    /// <summary>The same, by the name that PowerShell's own commands take paths by.</summary>
    public string? PSPath => Path;

    /// <summary>The size that the blob should have.</summary>
    public long Size { get; internal set; }

    /// <summary>Healthy, DamagedOnDisk, UnstableReads, BufferedReadsUnstable, UnstableMemory, Truncated or NotABlob.</summary>
    public string? Verdict { get; internal set; }

    /// <summary>A row for each read of the whole file.</summary>
    public ModelBlobRead[] Reads { get; internal set; } = [];

    /// <summary>The damaged ranges in the order of the blob.</summary>
    public ModelBlobDamage[] DamagedRanges { get; internal set; } = [];

    /// <summary>Whether the reads could be compared with the block map that Save-ModelBlob had made.</summary>
    public bool HasBlockMap { get; internal set; }

    /// <summary>What the evidence points to, and how sure that is.</summary>
    public string? Explanation { get; internal set; }

    /// <summary>What to try next.</summary>
    public string? Recommendation { get; internal set; }
}
