using PSModel.Core.Names;
using PSModel.Core.Store;

namespace PSModel.Core.Verification;

/// <summary>A blob's file and what is known of it. Immutable.</summary>
public sealed class BlobTarget
{
    private readonly Lazy<BlobOwner?> _owner;

    /// <summary>Says what to look at.</summary>
    /// <param name="path">The file.</param>
    /// <param name="digest">The digest that it should have.</param>
    /// <param name="size">The size in bytes that it should have, if that is known.</param>
    /// <param name="name">The model it belongs to, if that is known.</param>
    /// <param name="mediaType">Its media type, if that is known.</param>
    /// <param name="owner">Finds a model that has it.</param>
    public BlobTarget(string path, BlobDigest digest, long? size, ModelName? name, string? mediaType, Func<BlobOwner?>? owner = null)
    {
        _owner = new Lazy<BlobOwner?>(owner ?? (() => null));
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

    /// <summary>A model that has it, looked for at the first call; <see langword="null"/> where none of a store is known to.</summary>
    public BlobOwner? Owner => _owner.Value;

    /// <summary>The media type, if known.</summary>
    public string? MediaType { get; }
}
