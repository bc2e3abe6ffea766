namespace PSModel.Core.Diagnosis;

/// <summary>What damaged bytes look like. The names are those that scripts see.</summary>
public enum DamagePattern
{
    /// <summary>One flipped bit.</summary>
    SingleBit,

    /// <summary>Runs of 64 bytes, the line of a processor's cache and the unit of DMA.</summary>
    CacheLineRuns,

    /// <summary>Pages of 4 KiB that are zero.</summary>
    ZeroedPages,

    /// <summary>HTML or XML in the middle of the blob.</summary>
    Markup,

    /// <summary>The beginning of the blob once more.</summary>
    RepeatOfStart,

    /// <summary>Bytes that the disk does not give.</summary>
    Unreadable,

    /// <summary>Bytes that are not there.</summary>
    Missing,

    /// <summary>Anything else, and whatever cannot be told without the right bytes.</summary>
    Other,
}
