using PSModel.Core.Registry;

namespace PSModel.Core.Sources;

/// <summary>A blob that nobody has, since it was made here. It takes the way of every blob all the same.</summary>
internal sealed class MadeBlob(byte[] content) : BlobSource
{
    /// <inheritdoc/>
    public override BlobStream Open(ByteRange range, CancellationToken cancellationToken) =>
        new(new Body(new MemoryStream(content, (int)range.Start, (int)range.Length, writable: false)), range.Start, range.End);

    private sealed class Body(MemoryStream stream) : IBlobBody
    {
        public int Read(byte[] buffer, int offset, int count) => stream.Read(buffer, offset, count);

        public void Dispose() => stream.Dispose();
    }
}
