namespace PSModel.Core.Faults;

/// <summary>The facts of a fault; those that do not apply are <see langword="null"/>. Sizes are in bytes.</summary>
public sealed class FaultFacts
{
    /// <summary>The model name in its shortest form.</summary>
    public string? Name { get; set; }

    /// <summary>The blob's expected digest.</summary>
    public string? Digest { get; set; }

    /// <summary>The digest that was found instead.</summary>
    public string? ActualDigest { get; set; }

    /// <summary>The file or folder concerned.</summary>
    public string? Path { get; set; }

    /// <summary>The address that answered, without its query, which may hold a signature.</summary>
    public string? Uri { get; set; }

    /// <summary>The HTTP status code of the answer.</summary>
    public int? StatusCode { get; set; }

    /// <summary>The size that the manifest names.</summary>
    public long? ExpectedSize { get; set; }

    /// <summary>The size that was found instead.</summary>
    public long? ActualSize { get; set; }

    /// <summary>The text that was refused, byte for byte, where it is within the bound.</summary>
    public byte[]? Content { get; set; }

    /// <summary>What to do about it, in a sentence, where more is known than the kind of fault tells.</summary>
    public string? Remedy { get; set; }

    /// <summary>The room that is needed on the volume.</summary>
    public long? RequiredBytes { get; set; }

    /// <summary>The room that the volume has.</summary>
    public long? AvailableBytes { get; set; }
}
