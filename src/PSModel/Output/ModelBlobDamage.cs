namespace PSModel;

/// <summary>A damaged range of a blob, in bytes.</summary>
public sealed class ModelBlobDamage
{
    internal ModelBlobDamage()
    {
    }

    /// <summary>The offset of its first byte.</summary>
    public long Offset { get; internal set; }

    /// <summary>How many bytes it has.</summary>
    public long Length { get; internal set; }

    /// <summary>SingleBit, CacheLineRuns, ZeroedPages, Markup, RepeatOfStart, Unreadable, Missing or Other.</summary>
    public string? Pattern { get; internal set; }

    /// <summary>Pattern, offset and length in a few words.</summary>
    public override string ToString() => $"{Pattern} at {Offset}, {Length} B";
}
