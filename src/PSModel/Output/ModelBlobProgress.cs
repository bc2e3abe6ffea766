namespace PSModel;

/// <summary>How far a blob has come at one moment. Sizes are in bytes.</summary>
public sealed class ModelBlobProgress
{
    internal ModelBlobProgress()
    {
    }

    /// <summary>The model's name in its shortest form.</summary>
    public string? Name { get; internal set; }

    /// <summary>The blob's digest.</summary>
    public string? Digest { get; internal set; }

    /// <summary>The blob's media type.</summary>
    public string? MediaType { get; internal set; }

    /// <summary>Resolving, Downloading, Uploading, Verifying, Committing or Completed.</summary>
    public string? Phase { get; internal set; }

    /// <summary>What is here, or there where it is published, bytes of earlier calls included; never goes backwards within a blob.</summary>
    public long BytesTransferred { get; internal set; }

    /// <summary>The blob's size.</summary>
    public long TotalBytes { get; internal set; }

    /// <summary>0 to 100.</summary>
    public int PercentComplete { get; internal set; }

    /// <summary>A moving average.</summary>
    public double BytesPerSecond { get; internal set; }

    /// <summary>At that speed; empty while there is none.</summary>
    public TimeSpan? EstimatedTimeRemaining { get; internal set; }

    /// <summary>Open connections.</summary>
    public int Connections { get; internal set; }

    /// <summary>The moment, in UTC.</summary>
    public DateTime Timestamp { get; internal set; }
}
