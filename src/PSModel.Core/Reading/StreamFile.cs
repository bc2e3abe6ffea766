namespace PSModel.Core.Reading;

/// <summary>Reads with the calls that every program uses.</summary>
internal class StreamFile : BlobFile
{
    private readonly FileStream _file;

    public StreamFile(string path)
        : this(OpenStream(path, FileOptions.SequentialScan))
    {
    }

    protected StreamFile(FileStream file)
    {
        _file = file;
        Length = file.Length;
    }

    public override long Length { get; }

    public override void Read(long offset, ReadBuffer buffer)
    {
        _file.Seek(offset, SeekOrigin.Begin);
        int filled = 0;
        int read;
        do
        {
            read = _file.Read(buffer.Array, buffer.Start + filled, ReadBuffer.UnitSize - filled);
            filled += read;
        }
        while (read > 0 && filled < ReadBuffer.UnitSize && offset + filled < Length);
        buffer.Length = filled;
    }

    public override void Dispose() => _file.Dispose();
}
