using PSModel.Core.Metering;
using PSModel.Core.Names;
using PSModel.Core.Registry;
using PSModel.Core.Store;
using PSModel.Core.Transfer;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Core.Tests;

/// <summary>A call that is stopped ends, wherever it is.</summary>
public sealed class StopTests : EngineTests
{
    [Fact]
    public async Task A_stop_while_small_blobs_are_read_back_ends_the_call()
    {
        Options.ReadBack = true;
        string name = Registry.Offer(LoopbackModel.GenerateMany("library/demo", "latest", 60, MB));
        using RegistryClient client = new(RegistryOptions);
        using CancellationTokenSource stop = new();
        ModelRequest request = new(name, token => client.GetManifest(ModelName.Parse(name), token));
        Task saving = Task.Run(() => new ModelSaver(client, new ModelStore(Folder.Path), Options).SaveAsync([request], [], Watcher, stop.Token));

        // Many are committed together, so that the rest of a batch is still to be read.
        await Until.HoldsAsync(() => saving.IsCompleted || Watcher.Meters.Any(meter => meter.Phase == TransferPhase.Verifying));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => saving.WaitAsync(TimeSpan.FromSeconds(30)));
    }
}
