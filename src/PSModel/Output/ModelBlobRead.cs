namespace PSModel;

/// <summary>One read of a whole file.</summary>
public sealed class ModelBlobRead
{
    internal ModelBlobRead()
    {
    }

    /// <summary>Buffered, Unbuffered or MemoryMapped.</summary>
    public string? ReadMode { get; internal set; }

    /// <summary>Whether the operating system's cache was told to forget the file before.</summary>
    public bool CacheDropped { get; internal set; }

    /// <summary>The digest of what was read; empty where not everything could be.</summary>
    public string? Digest { get; internal set; }

    /// <summary>Whether that is the blob's digest.</summary>
    public bool Matches { get; internal set; }

    /// <summary>The time that it took.</summary>
    public TimeSpan Elapsed { get; internal set; }

    /// <summary>Why something could not be read; empty where everything could.</summary>
    public string? Error { get; internal set; }

    /// <summary>Mode and digest, or the error, in a few words.</summary>
    public override string ToString() => $"{ReadMode} {Digest ?? Error}";
}
