namespace PSModel.Core.Sources;

/// <summary>Bytes of a blob as they come over one connection, and where they belong. For one reader at a time.</summary>
internal sealed class BlobStream(IBlobBody body, long start, long? end) : IDisposable
{
    /// <summary>The offset in the blob of the next byte that will be read.</summary>
    public long Position { get; private set; } = start;

    /// <summary>The offset at which the server promised to end; <see langword="null"/> where it promised nothing.</summary>
    public long? End { get; } = end;

    /// <summary>Whether whoever asks for a part would be sent the whole.</summary>
    public bool IsWholeOnly { get; init; }

    /// <summary>Told where the bytes break off before the end that was promised.</summary>
    public Action? OnBroken { get; set; }

    /// <summary>Reads some bytes; 0 at the end of what the server sends.</summary>
    public int Read(byte[] buffer, int offset, int count)
    {
        int read;
        try
        {
            read = body.Read(buffer, offset, count);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            OnBroken?.Invoke();
            throw;
        }

        Position += read;
        if (read == 0 && count > 0 && Position < End)
        {
            OnBroken?.Invoke();
        }

        return read;
    }

    public void Dispose() => body.Dispose();
}
