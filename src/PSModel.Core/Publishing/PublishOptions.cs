namespace PSModel.Core.Publishing;

/// <summary>How models are published. Set it up before use; it is not watched afterwards.</summary>
public sealed class PublishOptions
{
    /// <summary>The most blobs at a time, 1 or more.</summary>
    public int BlobsAtATime { get; set; } = 4;

    /// <summary>Nothing will be allowed: it is asked for what would be done.</summary>
    public bool IsDryRun { get; set; }

    /// <summary>The most bytes of a request: services in between take no larger ones, 100 MB at Cloudflare.</summary>
    internal long LargestChunk { get; set; } = 64L * 1024 * 1024;
}
