namespace PSModel;

/// <summary>One blob, what it should be and what it is. Plain values, so that it survives remoting. Sizes are in bytes.</summary>
public sealed class ModelBlobDigest
{
    internal ModelBlobDigest()
    {
    }

    /// <summary>The model's name in its shortest form, where one is known.</summary>
    public string? Name { get; internal set; }

    /// <summary>Where the blob is wrong: the registry that its model came from, if that is not https and the name's host.</summary>
    public string? Origin { get; internal set; }

    /// <summary>Where the blob is wrong: the runner for which its model was chosen from a list.</summary>
    public string? Runner { get; internal set; }

    /// <summary>The expected digest.</summary>
    public string? Digest { get; internal set; }

    /// <summary>The digest that was computed; empty where none was.</summary>
    public string? ActualDigest { get; internal set; }

    /// <summary>Whether the digest was computed in this call and is the expected one.</summary>
    public bool Verified { get; internal set; }

    /// <summary>How it was checked: Inline, ReadBack, SizeOnly or None.</summary>
    public string? Verification { get; internal set; }

    /// <summary>Downloaded, Linked, AlreadyPresent, Repaired, Published, Valid, DigestMismatch, SizeMismatch, Missing or Unreadable.</summary>
    public string? Status { get; internal set; }

    /// <summary>The blob's media type, where a manifest names one.</summary>
    public string? MediaType { get; internal set; }

    /// <summary>The size that the manifest names, else that of the file.</summary>
    public long Size { get; internal set; }

    /// <summary>The blob's file.</summary>
    public string? Path { get; internal set; }

    /// <summary>The same, by the name that PowerShell's own commands take paths by.</summary>
    public string? PSPath => Path;

    /// <summary>What came over the wire in this call.</summary>
    public long BytesReceived { get; internal set; }

    /// <summary>What was sent in this call.</summary>
    public long BytesSent { get; internal set; }

    /// <summary>What was kept from earlier calls.</summary>
    public long BytesResumed { get; internal set; }

    /// <summary>The requests that had to be repeated.</summary>
    public int RetryCount { get; internal set; }

    /// <summary>The time that it took.</summary>
    public TimeSpan Elapsed { get; internal set; }

    /// <summary>Bytes received, sent, or read, a second.</summary>
    public double BytesPerSecond { get; internal set; }

    /// <summary>The status and the digest.</summary>
    public override string ToString() => $"{Status} {Digest}".Trim();
}
