using PSModel.Core.Names;
using PSModel.Core.Store;

namespace PSModel.Core.Verification;

/// <summary>A blob's file and what is known of it. Immutable.</summary>
public sealed class BlobTarget
{
    private readonly Lazy<string?> _repairCommand;

    /// <summary>Says what to look at.</summary>
    /// <param name="path">The file.</param>
    /// <param name="digest">The digest that it should have.</param>
    /// <param name="size">The size in bytes that it should have, if that is known.</param>
    /// <param name="name">The model it belongs to, if that is known.</param>
    /// <param name="mediaType">Its media type, if that is known.</param>
    /// <param name="repairCommand">Finds the command that mends it.</param>
    public BlobTarget(string path, BlobDigest digest, long? size, ModelName? name, string? mediaType, Func<string?>? repairCommand = null)
    {
        _repairCommand = new Lazy<string?>(repairCommand ?? (() => null));
        Path = path;
        Digest = digest;
        Size = size;
        Name = name;
        MediaType = mediaType;
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The expected digest.</summary>
    public BlobDigest Digest { get; }

    /// <summary>The expected size in bytes, if known.</summary>
    public long? Size { get; }

    /// <summary>The length of the file in bytes at this moment, of its target if it is a link; 0 where there is none.</summary>
    public long FileLength => FileFacts.TryRead(Path) is { IsFile: true } facts ? facts.Size : 0;

    /// <summary>The model, if known.</summary>
    public ModelName? Name { get; }

    /// <summary>The command that mends it, ready to be pasted; <see langword="null"/> where no model of a store is known to have it.</summary>
    public string? RepairCommand => _repairCommand.Value;

    /// <summary>The media type, if known.</summary>
    public string? MediaType { get; }
}
