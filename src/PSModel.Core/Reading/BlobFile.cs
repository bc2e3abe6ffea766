using PSModel.Core.Faults;

namespace PSModel.Core.Reading;

/// <summary>A file opened to be read in one of the modes. For one thread at a time.</summary>
internal abstract class BlobFile : IDisposable
{
    /// <summary>The file's length in bytes when it was opened.</summary>
    public abstract long Length { get; }

    /// <summary>Opens a file.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.ReadModeNotSupported"/>.</exception>
    public static BlobFile Open(string path, ReadMode mode) => mode switch
    {
        ReadMode.Unbuffered => new UnbufferedFile(path),
        ReadMode.MemoryMapped => new MappedFile(path),
        _ => new StreamFile(path),
    };

    /// <summary>Reads the unit that begins at an offset; fewer bytes only at the end of the file.</summary>
    /// <param name="offset">A multiple of <see cref="ReadBuffer.UnitSize"/>.</param>
    /// <param name="buffer">Takes the bytes.</param>
    /// <exception cref="IOException">They cannot be read.</exception>
    public abstract void Read(long offset, ReadBuffer buffer);

    /// <summary>Reads a range, wherever it begins; fewer bytes only at the end of the file.</summary>
    /// <param name="start">The offset of its first byte.</param>
    /// <param name="length">How many bytes it has.</param>
    /// <param name="buffer">Takes the units that the range lies in.</param>
    /// <exception cref="IOException">They cannot be read.</exception>
    public byte[] ReadRange(long start, int length, ReadBuffer buffer)
    {
        byte[] bytes = new byte[length];
        int filled = 0;
        while (filled < length)
        {
            long position = start + filled;
            long unit = position / ReadBuffer.UnitSize * ReadBuffer.UnitSize;
            Read(unit, buffer);
            ReadOnlySpan<byte> rest = buffer.Content.Slice(Math.Min((int)(position - unit), buffer.Length));
            if (rest.IsEmpty)
            {
                Array.Resize(ref bytes, filled);
                return bytes;
            }

            rest = rest.Slice(0, Math.Min(rest.Length, length - filled));
            rest.CopyTo(bytes.AsSpan(filled));
            filled += rest.Length;
        }

        return bytes;
    }

    public abstract void Dispose();

    /// <summary>The plain way to open a file that others may write, rename or delete meanwhile.</summary>
    protected static FileStream OpenStream(string path, FileOptions options) =>
        new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 1, options);
}
