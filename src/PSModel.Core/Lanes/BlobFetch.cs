using PSModel.Core.Buffers;
using PSModel.Core.Manifests;
using PSModel.Core.Metering;
using PSModel.Core.Names;
using PSModel.Core.Registry;
using PSModel.Core.Scheduling;
using PSModel.Core.Sources;

namespace PSModel.Core.Lanes;

/// <summary>A blob in the schedule together with what a lane needs to fetch it.</summary>
/// <param name="layer">The blob.</param>
/// <param name="ranges">What is to be fetched of it, in ascending order.</param>
/// <param name="isSmall">Whether the lane that fetches it is hash and disk as well.</param>
/// <param name="hasCheckpoints">Whether what was delivered is made durable from time to time.</param>
/// <param name="source">Where its bytes come from.</param>
/// <param name="meter">Counts what is done.</param>
/// <param name="deliver">Given each chunk in order, under the pool's lock.</param>
internal sealed class BlobFetch(Layer layer, IReadOnlyList<ByteRange> ranges, bool isSmall, bool hasCheckpoints, BlobSource source, TransferMeter meter, Action<Chunk> deliver)
    : BlobSchedule(layer.Size, ranges, isSmall, hasCheckpoints, deliver)
{
    /// <summary>A lane that is alone with a blob may ask for everything from where it is to the end.</summary>
    private readonly bool _reachesEnd = ranges.Count == 1 && ranges[0].End == layer.Size;

    public BlobDigest Digest => layer.Digest;

    public BlobSource Source => source;

    public TransferMeter Meter => meter;

    /// <summary>Called by each lane after it has brought bytes, outside all locks: what a small blob's lane does with them.</summary>
    public Action? AfterBytes { get; init; }

    /// <summary>How far a lane asks that has a segment to fetch.</summary>
    public long EndOfRequest(Segment segment, bool isAlone) => isAlone && _reachesEnd ? Size : segment.End;
}
