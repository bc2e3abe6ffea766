namespace PSModel;

/// <summary>A file that Remove-ModelBlob removed from a store. Those that do not apply are <see langword="null"/>.</summary>
public sealed class RemovedModelFile
{
    internal RemovedModelFile()
    {
    }

    /// <summary>What it was: <c>Manifest</c>, <c>Blob</c>, <c>Partial</c>, <c>BlockMap</c> or <c>Origin</c>.</summary>
    public string? Kind { get; internal set; }

    /// <summary>The model that it was of.</summary>
    public string? Name { get; internal set; }

    /// <summary>The blob that it was, or was of.</summary>
    public string? Digest { get; internal set; }

    /// <summary>The media type by which a manifest named the blob.</summary>
    public string? MediaType { get; internal set; }

    /// <summary>Its length in bytes.</summary>
    public long Size { get; internal set; }

    /// <summary>Where it lay.</summary>
    public string? Path { get; internal set; }

    /// <summary>The path.</summary>
    public override string ToString() => Path ?? string.Empty;
}
