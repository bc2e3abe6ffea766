using PSModel.Core.Names;
using PSModel.Core.Reading;

namespace PSModel.Core.Diagnosis;

/// <summary>One read of a file from its beginning to its end, as a diagnosis shows it. Immutable.</summary>
public sealed class DiagnosticRead
{
    internal DiagnosticRead(ReadMode mode, bool isCacheDropped, BlobDigest? digest, bool isRight, TimeSpan elapsed, string? error)
    {
        Mode = mode;
        IsCacheDropped = isCacheDropped;
        Digest = digest;
        IsRight = isRight;
        Elapsed = elapsed;
        Error = error;
    }

    /// <summary>The way of reading.</summary>
    public ReadMode Mode { get; }

    /// <summary>Whether the operating system's cache was told to forget the file before.</summary>
    public bool IsCacheDropped { get; }

    /// <summary>The SHA-256 of what was read; <see langword="null"/> where not everything could be.</summary>
    public BlobDigest? Digest { get; }

    /// <summary>Whether that is the blob's digest.</summary>
    public bool IsRight { get; }

    /// <summary>The time that it took.</summary>
    public TimeSpan Elapsed { get; }

    /// <summary>Why something could not be read.</summary>
    public string? Error { get; }
}
