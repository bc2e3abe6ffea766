using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Tests;

/// <summary>What a call leaves to the collector, which comes late.</summary>
[Collection(nameof(MemoryTests))]
[CollectionDefinition(nameof(MemoryTests), DisableParallelization = true)]
public sealed class MemoryTests
{
    /// <summary>A session of many calls grows by what each allocates. Other threads of the process allocate too, so the least counts.</summary>
    [Fact]
    public async Task A_call_takes_the_large_buffers_of_the_one_before()
    {
        using EngineSession engine = new();
        await using LoopbackRegistry registry = LoopbackRegistry.Start();
        using TemporaryFolder store = new();
        string name = registry.Offer(LoopbackModel.Generate("library/demo", "latest", 12_000_000));
        long least = long.MaxValue;
        for (int call = 0; call < 8; call++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            EngineResult result = engine.Run("param($name, $store) Save-ModelBlob $name $store -Force", name, store.Path);
            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
            Assert.Empty(result.Errors);
        }

        Assert.InRange(least, 0, 3_000_000);
    }

    /// <summary>What stays of a process that saves again and again.</summary>
    [Fact]
    public async Task Ten_saves_of_a_session_take_hardly_more_than_two()
    {
        await using LoopbackRegistry registry = LoopbackRegistry.Start();
        using TemporaryFolder store = new();
        string name = registry.Offer(LoopbackModel.Generate("library/demo", "latest", 200_000_000));
        using ChildProcess session = ChildProcess.StartScript($$"""
            foreach ($save in 1..10) {
                Save-ModelBlob '{{name}}' '{{store.Path}}' -VerifyInline -Force | Out-Null
                if ($save -in 2, 10) { [GC]::Collect(); [System.Diagnostics.Process]::GetCurrentProcess().WorkingSet64 }
            }
            """);
        Assert.True(await session.WaitAsync() == 0, session.Error);
        long[] resident = [.. session.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => long.Parse(line, System.Globalization.CultureInfo.InvariantCulture))];
        Assert.InRange(resident[1], 0, resident[0] * 5 / 4);
    }
}
