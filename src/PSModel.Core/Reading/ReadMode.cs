namespace PSModel.Core.Reading;

/// <summary>The way by which a file's bytes come from the disk. The names are those that scripts use.</summary>
public enum ReadMode
{
    /// <summary>Through the operating system's cache, as every program reads.</summary>
    Buffered,

    /// <summary>Past the cache, from the disk itself.</summary>
    Unbuffered,

    /// <summary>Through memory that the operating system fills from the file.</summary>
    MemoryMapped,
}
