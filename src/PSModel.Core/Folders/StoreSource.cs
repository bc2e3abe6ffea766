using PSModel.Core.Manifests;
using PSModel.Core.Names;
using PSModel.Core.Registry;
using PSModel.Core.Store;

namespace PSModel.Core.Folders;

/// <summary>A store of Ollama's, to be read. Thread-safe.</summary>
public sealed class StoreSource : FolderSource
{
    private readonly ModelStore _store;

    /// <summary>Names a store; nothing is read yet.</summary>
    public StoreSource(ModelStore store, RegistryOptions options)
        : base(store.Root, options) => _store = store;

    /// <inheritdoc/>
    public override IReadOnlyList<ModelName> FindNames() => _store.Manifests.FindNames();

    /// <inheritdoc/>
    public override Manifest GetManifest(ModelName name, string? origin, string? runner, CancellationToken cancellationToken) => _store.Manifests.Read(name, runner);

    /// <inheritdoc/>
    public override IReadOnlyList<ModelName> GetTags(ModelName name, CancellationToken cancellationToken) => _store.Manifests.FindTags(name);

    /// <inheritdoc/>
    public override Manifest Complete(Manifest manifest) => new OriginFile(_store, manifest.Name).Complete(manifest.From(null));

    /// <summary>Whether a folder looks like one.</summary>
    internal static bool Is(ModelStore store) => Directory.Exists(store.Blobs) && store.Manifests.HasTree;

    internal override string PathOf(BlobDigest digest) => _store.BlobPath(digest);
}
