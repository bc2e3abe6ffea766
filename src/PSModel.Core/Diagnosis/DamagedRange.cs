namespace PSModel.Core.Diagnosis;

/// <summary>A damaged range of a blob. Immutable.</summary>
public sealed class DamagedRange
{
    internal DamagedRange(long offset, long length, DamagePattern pattern)
    {
        Offset = offset;
        Length = length;
        Pattern = pattern;
    }

    /// <summary>The offset of its first byte.</summary>
    public long Offset { get; }

    /// <summary>How many bytes it has.</summary>
    public long Length { get; }

    /// <summary>What the damage looks like.</summary>
    public DamagePattern Pattern { get; }
}
