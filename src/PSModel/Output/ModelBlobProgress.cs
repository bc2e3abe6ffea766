namespace PSModel;

/// <summary>How far a blob has come at one moment. Sizes are in bytes.</summary>
public sealed class ModelBlobProgress
{
    /// <summary>The model's name in its shortest form.</summary>
    public string? Name { get; set; }

    /// <summary>The blob's digest.</summary>
    public string? Digest { get; set; }

    /// <summary>The blob's media type.</summary>
    public string? MediaType { get; set; }

    /// <summary>Resolving, Downloading, Verifying, Committing or Completed.</summary>
    public string? Phase { get; set; }

    /// <summary>What is here, bytes of earlier calls included; never goes backwards within a blob.</summary>
    public long BytesTransferred { get; set; }

    /// <summary>The blob's size.</summary>
    public long TotalBytes { get; set; }

    /// <summary>0 to 100.</summary>
    public int PercentComplete { get; set; }

    /// <summary>A moving average.</summary>
    public double BytesPerSecond { get; set; }

    /// <summary>At that speed; empty while there is none.</summary>
    public TimeSpan? EstimatedTimeRemaining { get; set; }

    /// <summary>Open connections.</summary>
    public int Connections { get; set; }

    /// <summary>The moment, in UTC.</summary>
    public DateTime Timestamp { get; set; }
}
