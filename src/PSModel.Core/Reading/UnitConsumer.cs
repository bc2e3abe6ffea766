namespace PSModel.Core.Reading;

/// <summary>Takes the units of a file in order.</summary>
/// <param name="offset">The offset of the first byte.</param>
/// <param name="bytes">The bytes; they are gone after the call.</param>
internal delegate void UnitConsumer(long offset, ReadOnlySpan<byte> bytes);
