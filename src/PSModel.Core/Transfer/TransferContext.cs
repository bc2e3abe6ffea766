using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Registry;

namespace PSModel.Core.Transfer;

/// <summary>What the lanes of one blob share. Immutable; its parts are thread-safe.</summary>
internal sealed record TransferContext(
    Layer Layer,
    BlobSource Source,
    RetryPolicy Retries,
    RateLimiter Limiter,
    BufferPool Buffers,
    TransferMeter Meter,
    Action<string> Trace)
{
    public long Size => Layer.Size;

    public BlobDigest Digest => Layer.Digest;
}
