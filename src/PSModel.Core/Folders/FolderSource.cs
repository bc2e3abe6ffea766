using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Registry;
using PSModel.Core.Sources;
using PSModel.Core.Store;

namespace PSModel.Core.Folders;

/// <summary>Models in a folder: a store of Ollama's, or an OCI image layout. Nothing is written there. Thread-safe.</summary>
public abstract class FolderSource : ModelSource
{
    private readonly RegistryOptions _options;

    private protected FolderSource(string root, RegistryOptions options)
    {
        Root = root;
        _options = options;
    }

    /// <summary>The folder.</summary>
    public string Root { get; }

    internal override int MaximumRetries => _options.MaximumRetryCount;

    internal override TimeSpan RetryInterval => _options.RetryInterval;

    /// <summary>Opens a folder as what it is.</summary>
    /// <param name="path">An absolute path.</param>
    /// <param name="options">How often a read is tried again, and who is told.</param>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.StoreNotFound"/> where it is neither.</exception>
    public static FolderSource Open(string path, RegistryOptions options)
    {
        if (!Directory.Exists(path))
        {
            throw FolderFault.NotFound(path, File.Exists(path) ? "it is a file" : "there is no such folder");
        }

        ModelStore store = new(path);
        return LayoutSource.Is(path) ? new LayoutSource(path, options)
            : StoreSource.Is(store) ? new StoreSource(store, options)
            : throw FolderFault.NotFound(path, StoreSource.Is(new ModelStore(Path.Combine(path, "models"))) ? "the folder 'models' in it is one" : "the folder has neither blobs and manifests nor index.json");
    }

    /// <summary>The names of all its models, in order.</summary>
    /// <exception cref="ModelFaultException">The folder cannot be read.</exception>
    public abstract IReadOnlyList<ModelName> FindNames();

    /// <summary>A manifest that was read here before, with what else is known of it.</summary>
    public abstract Manifest Complete(Manifest manifest);

    /// <summary>Whether it is the very folder of a store.</summary>
    public bool IsOf(ModelStore store) => FileFacts.TryRead(Root) is { } own && FileFacts.TryRead(store.Root) is { } other && own.Index != 0 && own.IsSame(other);

    /// <summary>Where a blob belongs.</summary>
    internal abstract string PathOf(BlobDigest digest);

    internal override void Trace(string message) => _options.Trace?.Invoke(message);

    internal override BlobSource OpenBlob(Manifest manifest, Layer layer) =>
        ForeignModel.TryContentOf(manifest, layer) is { } made ? new MadeBlob(made) : new FolderBlob(PathOf(layer.Digest), layer);

    /// <inheritdoc/>
    internal override string? TryFindFile(Layer layer) => FileFacts.TryReadEntry(PathOf(layer.Digest)) is { IsFile: true } facts && facts.Size == layer.Size ? PathOf(layer.Digest) : null;
}
