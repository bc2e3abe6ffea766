using PSModel.Core.Scheduling;

namespace PSModel.Core.Lanes;

/// <summary>A segment as it was when a lane took it, or looked at it again. Immutable.</summary>
/// <param name="Segment">The segment; its own properties are read under the pool's lock alone.</param>
/// <param name="Blob">Its blob.</param>
/// <param name="Frontier">The first byte that is missing.</param>
/// <param name="End">The end of the segment.</param>
/// <param name="EndOfRequest">How far to ask.</param>
internal readonly record struct LaneTask(Segment Segment, BlobFetch Blob, long Frontier, long End, long EndOfRequest);
