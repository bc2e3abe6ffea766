using PSModel.Core.Faults;
using PSModel.Core.Manifests;
using PSModel.Core.Metering;
using PSModel.Core.Names;
using PSModel.Core.Registry;
using PSModel.Core.Store;
using PSModel.Core.Transfer;

namespace PSModel.Core.Tests.Hostile;

/// <summary>A save of one model from a server that does what it likes, and what must hold whatever that is.</summary>
internal sealed class HostileSave(string folder) : ISaveObserver
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    private readonly List<ModelFaultException> _faults = [];

    public IReadOnlyList<ModelFaultException> Faults => _faults;

    private string Root => Path.Combine(folder, "store");

    /// <summary>Saves, and requires an end in time, fit words, and a store in which nothing is wrong.</summary>
    public async Task RunAsync(Uri registry, bool isRepair = false)
    {
        RegistryOptions options = new()
        {
            Registries = registry is null ? [] : [registry],
            MaximumRetryCount = 1,
            RetryInterval = TimeSpan.FromMilliseconds(1),
            ConnectionTimeout = TimeSpan.FromSeconds(2),
            OperationTimeout = TimeSpan.FromSeconds(5),
            Trace = Tell,
        };
        using RegistryClient client = new(options);
        ModelSaver saver = new(client, new ModelStore(Root), new TransferOptions { Connections = 2, Repair = isRepair });
        ModelRequest request = new("demo", token => client.GetManifest(ModelName.Parse("demo"), token));
        await saver.SaveAsync([request], [], this, CancellationToken.None).WaitAsync(Longest);
        _faults.ForEach(Shown.IsPlain);
        CheckStore();
    }

    public Task<bool> ConfirmBlobAsync(Manifest manifest, Layer layer) => Task.FromResult(true);

    public Task<bool> ConfirmManifestAsync(Manifest manifest, string path) => Task.FromResult(true);

    public void BlobStarted(Manifest manifest, Layer layer, TransferMeter meter)
    {
    }

    public void BlobFinished(SavedBlob blob)
    {
    }

    public void BlobFailed(string target, Manifest manifest, string digest, TransferMeter? meter, ModelFaultException fault) => Note(fault);

    public void ModelRequested(string target)
    {
    }

    public void ModelStarted(string target, Manifest manifest)
    {
    }

    public void ModelEnded(string target, ModelFaultException? fault) => Note(fault);

    public void Warn(string message) => Tell(message);

    public void Tell(string message) => Shown.IsPlain(message);

    private void Note(ModelFaultException? fault)
    {
        if (fault is not null)
        {
            lock (_faults)
            {
                _faults.Add(fault);
            }
        }
    }

    private void CheckStore()
    {
        Assert.All(Directory.EnumerateFileSystemEntries(folder), entry => Assert.Equal("store", Path.GetFileName(entry)));
        string blobs = Path.Combine(Root, "blobs");
        foreach (string blob in Directory.Exists(blobs) ? Directory.EnumerateFileSystemEntries(blobs) : [])
        {
            string hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(blob)));
            Assert.Equal(Path.GetFileName(blob), $"sha256-{hash}");
        }

        ModelStore store = new(Root);
        foreach (Manifest manifest in (Directory.Exists(blobs) ? store.Manifests.FindNames() : []).Select(name => store.Manifests.Read(name)))
        {
            Assert.All(manifest.Blobs, layer => Assert.Equal(layer.Size, store.BlobSize(layer.Digest)));
        }
    }
}
