using System.Buffers;
using System.Runtime.InteropServices;

namespace PSModel.Core.Reading;

/// <summary>Memory for one unit of a file, placed as reads past the cache want it. For one thread at a time.</summary>
internal sealed class ReadBuffer : IDisposable
{
    /// <summary>The bytes that are read at a time.</summary>
    public const int UnitSize = 1024 * 1024;

    /// <summary>The largest block size of disks in use; reads past the cache begin, end and are placed at multiples of it.</summary>
    private const int Alignment = 4096;

    private GCHandle _pin;

    public ReadBuffer()
    {
        // The collector comes to large arrays late: a call that made its own for each blob would grow its process.
        Array = ArrayPool<byte>.Shared.Rent(UnitSize + Alignment);
        _pin = GCHandle.Alloc(Array, GCHandleType.Pinned);
        Start = (int)((Alignment - (_pin.AddrOfPinnedObject().ToInt64() % Alignment)) % Alignment);
    }

    /// <summary>The array that holds the unit.</summary>
    public byte[] Array { get; }

    /// <summary>Where in the array the unit begins.</summary>
    public int Start { get; }

    /// <summary>The bytes that the last read gave.</summary>
    public ReadOnlySpan<byte> Content => Array.AsSpan(Start, Length);

    /// <summary>How many bytes the last read gave.</summary>
    public int Length { get; set; }

    public void Dispose()
    {
        if (!_pin.IsAllocated)
        {
            return;
        }

        _pin.Free();
        ArrayPool<byte>.Shared.Return(Array);
    }
}
