using System.IO.MemoryMappedFiles;

namespace PSModel.Core.Reading;

/// <summary>Reads through memory that the operating system fills from the file, one unit at a time.</summary>
/// <remarks>A disk that fails to give a page ends the process here, where other modes get an error: a diagnosis therefore reads
/// in this mode only what it could read in another one.</remarks>
internal sealed class MappedFile : BlobFile
{
    private readonly MemoryMappedFile? _map;

    public MappedFile(string path)
    {
        FileStream file = OpenStream(path, FileOptions.None);
        Length = file.Length;
        if (Length == 0)
        {
            // Nothing cannot be mapped.
            file.Dispose();
            return;
        }

        _map = MemoryMappedFile.CreateFromFile(file, mapName: null, capacity: 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
    }

    public override long Length { get; }

    public override unsafe void Read(long offset, ReadBuffer buffer)
    {
        int length = (int)Math.Min(ReadBuffer.UnitSize, Length - offset);
        buffer.Length = Math.Max(length, 0);
        if (_map is null || length <= 0)
        {
            return;
        }

        using MemoryMappedViewAccessor view = _map.CreateViewAccessor(offset, length, MemoryMappedFileAccess.Read);
        byte* start = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        try
        {
            new ReadOnlySpan<byte>(start + view.PointerOffset, length).CopyTo(buffer.Array.AsSpan(buffer.Start));
        }
        finally
        {
            view.SafeMemoryMappedViewHandle.ReleasePointer();
        }
    }

    public override void Dispose() => _map?.Dispose();
}
