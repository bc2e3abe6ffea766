namespace PSModel.Core.Registry;

/// <summary>How far an upload has come, as the registry says. Immutable.</summary>
/// <param name="Location">Where it goes on; it may change with each answer.</param>
/// <param name="Offset">The bytes that the registry has.</param>
/// <param name="ShortestChunk">The fewest bytes that it takes at a time, but for the last; 0 where any will do.</param>
internal sealed record UploadState(Uri Location, long Offset, long ShortestChunk);
