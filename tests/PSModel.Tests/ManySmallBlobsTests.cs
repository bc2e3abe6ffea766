using System.Globalization;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>What hundreds of small blobs cost the session that saves them.</summary>
public sealed class ManySmallBlobsTests
{
    private const int Count = 300;

    /// <summary>A worker of the pool that has done something spins before it sleeps: one hop for each blob keeps a processor busy
    /// that lanes and the hash need.</summary>
    [Fact]
    public async Task They_do_not_hop_through_the_thread_pool_one_by_one()
    {
        using TemporaryFolder store = new();
        await using LoopbackRegistry registry = LoopbackRegistry.Start();
        string name = registry.Offer(LoopbackModel.GenerateMany("library/many", "latest", Count, 20_000));
        using ChildProcess shell = ChildProcess.StartScript($$"""
            Import-Module '{{Checkout.StagedModule}}'
            $before = [Threading.ThreadPool]::CompletedWorkItemCount
            $saved = @(Save-ModelBlob '{{name}}' '{{store.Path}}' -VerifyInline)
            "$($saved.Count) $([Threading.ThreadPool]::CompletedWorkItemCount - $before)"
            """);
        Assert.True(await shell.WaitAsync() == 0, shell.Error);
        int[] numbers = [.. shell.Output.Split().Where(word => word.Length > 0).Select(word => int.Parse(word, CultureInfo.InvariantCulture))];
        Assert.True(numbers[0] >= Count, shell.Output);
        Assert.InRange(numbers[1], 0, Count / 2);
    }
}
