using PSModel.Core.Names;

namespace PSModel.Core.Verification;

/// <summary>What reading a file gave. Immutable.</summary>
public sealed class BlobReading
{
    internal BlobReading(BlobDigest digest, long length)
    {
        Digest = digest;
        Length = length;
    }

    /// <summary>The SHA-256 of the bytes that were read.</summary>
    public BlobDigest Digest { get; }

    /// <summary>How many bytes were read.</summary>
    public long Length { get; }
}
