namespace PSModel;

/// <summary>Why a blob or a manifest is not in the store: the error record's parts as plain values.</summary>
public sealed class ModelSaveError
{
    internal ModelSaveError()
    {
    }

    /// <summary>The error id, <c>DigestMismatch</c> for instance.</summary>
    public string? Id { get; internal set; }

    /// <summary>What went wrong.</summary>
    public string? Message { get; internal set; }

    /// <summary>What to do about it.</summary>
    public string? RecommendedAction { get; internal set; }

    /// <summary>The digest, the path or the name that it is about.</summary>
    public string? Target { get; internal set; }

    /// <summary>The id and what it is about.</summary>
    public override string ToString() => $"{Id} {Target}".Trim();
}
