using System.Diagnostics;
using Xunit.Abstractions;

namespace PSModel.Core.Tests.Simulation;

/// <summary>The scheduler against everything that can happen, in any order. A failure names its seed: keep it below.</summary>
public sealed class SchedulerSimulationTests(ITestOutputHelper output)
{
    private static readonly int Schedules = int.Parse(Environment.GetEnvironmentVariable("SCHEDULES") ?? "100000", System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Seeds that failed once, or stand for something that did.</summary>
    [Theory]
    [InlineData(546806530)]
    [InlineData(2067252202)]
    [InlineData(1688322885)]
    public void A_seed_that_failed_once_holds(int seed) => new Simulation(seed).Run();

    [Fact]
    public async Task Whatever_happens_the_promises_hold()
    {
        int first = Random.Shared.Next();
        output.WriteLine($"Seeds from {first} on.");
        Stopwatch clock = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, Environment.ProcessorCount).Select(core => OnThreadOfItsOwn(() =>
        {
            for (int i = core; i < Schedules; i += Environment.ProcessorCount)
            {
                new Simulation(unchecked(first + i)).Run();
            }
        })));
        output.WriteLine($"{Schedules} schedules in {clock.Elapsed.TotalSeconds:0} s.");
    }

    /// <summary>Those of the pool answer for the tests beside it.</summary>
    private static Task OnThreadOfItsOwn(Action work) => Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
