namespace PSModel.Core.Blocks;

/// <summary>Takes the blocks of a file in order.</summary>
/// <param name="index">The block's number in its <see cref="BlockLayout"/>.</param>
/// <param name="checksum">Its checksum.</param>
/// <param name="bytes">Its bytes; they are gone after the call.</param>
internal delegate void BlockConsumer(int index, BlockChecksum checksum, ReadOnlySpan<byte> bytes);
