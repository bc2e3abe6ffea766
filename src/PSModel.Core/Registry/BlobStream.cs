namespace PSModel.Core.Registry;

/// <summary>Bytes of a blob as they come over one connection, and where they belong. For one reader at a time.</summary>
internal sealed class BlobStream(BodyStream body, long start, long? end) : IDisposable
{
    /// <summary>The offset in the blob of the next byte that will be read.</summary>
    public long Position { get; private set; } = start;

    /// <summary>The offset at which the server promised to end; <see langword="null"/> where it promised nothing.</summary>
    public long? End { get; } = end;

    /// <summary>Reads some bytes; 0 at the end of what the server sends.</summary>
    public int Read(byte[] buffer, int offset, int count)
    {
        int read = body.Read(buffer, offset, count);
        Position += read;
        return read;
    }

    public void Dispose() => body.Dispose();
}
