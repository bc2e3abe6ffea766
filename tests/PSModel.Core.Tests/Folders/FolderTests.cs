using PSModel.Core.Faults;
using PSModel.Core.Folders;
using PSModel.Core.Names;
using PSModel.Core.Store;
using PSModel.Core.Transfer;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Core.Tests.Folders;

/// <summary>The engine, a store, and a folder to fetch from.</summary>
public abstract class FolderTests : EngineTests
{
    private protected TemporaryFolder From { get; } = new();

    private protected LoopbackModel Model { get; } = LoopbackModel.Generate("library/demo", "1b", 9 * MB);

    private protected string Weights => Model.Blobs[0].Digest;

    private protected ModelStore Store => new(Folder.Path);

    /// <inheritdoc/>
    public override void Dispose()
    {
        From.Dispose();
        base.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Saves models from the folder, and throws what went wrong last.</summary>
    private protected async Task SaveFromAsync(CancellationToken cancellationToken = default, params string[] names)
    {
        using FolderSource source = FolderSource.Open(From.Path, RegistryOptions);
        ModelRequest[] requests = [.. names.Select(name => new ModelRequest(name, token => source.GetManifest(ModelName.Parse(name), origin: null, runner: null, token)))];
        await Watcher.SaveAsync(this, source, requests, cancellationToken);
    }

    private protected Task SaveFromAsync(params string[] names) => SaveFromAsync(CancellationToken.None, names);

    private protected async Task<ModelFaultException> FailAsync(params string[] names) => await Assert.ThrowsAsync<ModelFaultException>(() => SaveFromAsync(names));

    /// <summary>Makes the folder a store as Ollama would.</summary>
    private protected void MakeStore() => MakeStore(From.Path, Model);

    private protected static void MakeStore(string path, LoopbackModel model)
    {
        OllamaStore store = new(path);
        store.PutBlobs(model);
        store.PutManifest(model.Manifest, "registry.ollama.ai", "library", "demo", "1b");
    }

    /// <summary>Makes the folder a store as PSModel would, with block maps.</summary>
    private protected async Task SaveStoreAsync()
    {
        string name = Registry.Offer(Model);
        using Registry.RegistryClient client = new(RegistryOptions);
        await new ModelSaver(client, new ModelStore(From.Path), new TransferOptions()).SaveAsync(
            [new ModelRequest(name, _ => client.GetManifest(ModelName.Parse(name), CancellationToken.None))], [], new TransferWatcher(), CancellationToken.None);
    }

    private protected static void Flip(string path, params long[] offsets)
    {
        using FileStream file = File.Open(path, FileMode.Open, FileAccess.ReadWrite);
        foreach (long offset in offsets)
        {
            file.Position = offset;
            int value = file.ReadByte();
            file.Position = offset;
            file.WriteByte((byte)(value ^ 1));
        }
    }
}
