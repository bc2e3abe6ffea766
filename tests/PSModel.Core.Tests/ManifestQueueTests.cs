using PSModel.Core.Faults;
using PSModel.Loopback;

namespace PSModel.Core.Tests;

/// <summary>The look-up of several models of a call.</summary>
public sealed class ManifestQueueTests : EngineTests
{
    [Fact]
    public async Task Several_are_looked_up_at_a_time_and_saved_in_their_order()
    {
        using CountdownEvent asked = new(3);
        Registry.Fault = (request, _) =>
        {
            if (!request.IsBlob)
            {
                // None is answered before three were asked for.
                asked.Signal();
                Assert.True(asked.Wait(TimeSpan.FromSeconds(30)));
            }
        };
        LoopbackModel[] models = [.. Enumerable.Range(1, 3).Select(seed => LoopbackModel.WithWeightsAlone("library/demo", $"{seed}b", BlobContent.Generate(1000, seed)))];
        await Watcher.SaveAsync(this, models);
        Assert.Equal(["1b", "2b", "3b"], Watcher.All.Select(blob => blob.Name.Tag).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task One_that_is_not_there_is_told_of_and_the_others_are_saved()
    {
        LoopbackModel[] models = [.. Enumerable.Range(1, 9).Select(seed => LoopbackModel.WithWeightsAlone("library/demo", $"{seed}b", BlobContent.Generate(1000, seed)))];
        string[] names = [.. models.Select(Registry.Offer).Append($"{Registry.Address}library/none:1b")];
        (names[4], names[^1]) = (names[^1], names[4]);
        ModelFaultException fault = await Assert.ThrowsAsync<ModelFaultException>(() => Watcher.SaveAsync(this, names));
        Assert.Equal(ModelFault.ManifestNotFound, fault.Fault);
        Assert.Equal(9, Watcher.All.Count);
    }
}
