namespace PSModel;

/// <summary>A tag that a registry lists for a model.</summary>
public sealed class ModelTag
{
    internal ModelTag()
    {
    }

    /// <summary>The name by which to ask for it, with the scheme where that is not https.</summary>
    public string? Name { get; internal set; }

    /// <summary>The tag.</summary>
    public string? Tag { get; internal set; }

    /// <summary>The tag.</summary>
    public override string ToString() => Tag ?? string.Empty;
}
