using System.Management.Automation;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>A save that fails: after it the store is as it was.</summary>
public abstract class SaveErrorTests : IAsyncLifetime, IDisposable
{
    protected const string Save = "param($name, $store) Save-ModelBlob $name $store -VerifyInline -RetryIntervalSec 0 -MaximumRetryCount 2";

    private readonly SortedDictionary<string, string> _before;

    protected SaveErrorTests()
    {
        // A store that is in use: what is in it must stay.
        LoopbackModel other = LoopbackModel.Generate("library/other", "latest", 1000, seed: 9);
        Engine.Run(Save, Registry.Offer(other), Store.Path);
        _before = Store.Snapshot();
    }

    protected EngineSession Engine { get; } = new();

    protected TemporaryFolder Store { get; } = new();

    protected LoopbackRegistry Registry { get; } = LoopbackRegistry.Start();

    protected LoopbackModel Model { get; } = LoopbackModel.WithWeights("library/demo", "latest", BlobContent.Generate(3_000_000, 1));

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        // The small blobs of the model are right and may stay; no manifest, no weights, and nothing else changed.
        SortedDictionary<string, string> after = Store.Snapshot();
        foreach (BlobContent small in Model.Blobs.Skip(1))
        {
            after.Remove(Path.Combine("blobs", small.Digest.Replace(':', '-')));
        }

        await Registry.DisposeAsync();
        Assert.Equal(_before.Where(entry => after.ContainsKey(entry.Key) || !IsShared(entry.Key)), after);
    }

    public void Dispose()
    {
        Engine.Dispose();
        Store.Dispose();
        GC.SuppressFinalize(this);
    }

    protected static object? Property(ErrorRecord error, string name) => error.Exception.GetType().GetProperty(name)!.GetValue(error.Exception);

    /// <summary>A blob that both models have.</summary>
    private bool IsShared(string name) => Model.Blobs.Skip(1).Any(blob => name.EndsWith(blob.Digest.Replace(':', '-'), StringComparison.Ordinal));

    protected EngineResult Run() => Engine.Run(Save, Registry.Offer(Model), Store.Path);

    /// <summary>A fault of the weights alone.</summary>
    protected Action<LoopbackRequest, LoopbackAnswer> Blob(Action<LoopbackAnswer> fault) => (request, answer) =>
    {
        if (request.IsBlob && request.Leaf == Model.Blobs[0].Digest)
        {
            fault(answer);
        }
    };
}
