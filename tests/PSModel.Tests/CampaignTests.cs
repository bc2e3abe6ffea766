using PSModel.TestParts;
using Xunit.Abstractions;

namespace PSModel.Tests;

/// <summary>The campaign, short; the README has the figures of a long one.</summary>
public sealed class CampaignTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    [Theory]
    [InlineData("network", 0, 24)]
    [InlineData("ctrlc", 0, 20)]
    [InlineData("load", 2, 2)]
    public Task Everything_holds_that_must(string part, int index, int count) => RunAsync(part, index, count);

    /// <summary>Once a call hung where a server began to ignore ranges.</summary>
    [Fact]
    public Task What_once_was_violated_holds() => RunAsync("network", 120, 1);

    [NeedsFact("gcc")]
    public Task Whatever_step_in_the_store_fails_nothing_wrong_comes_of_it() => RunAsync("storage", 0, 40);

    /// <summary>Once: flushes that failed went unnoticed.</summary>
    [NeedsFact("gcc")]
    public async Task A_flush_that_fails_is_noticed()
    {
        await RunAsync("storage", 8, 1);
        await RunAsync("storage", 48, 1);
    }

    [NeedsFact("gcc")]
    public Task Whenever_the_power_fails_nothing_wrong_comes_of_it() => RunAsync("powercut", 0, 24);

    private async Task RunAsync(string part, int index, int count)
    {
        using ChildProcess campaign = ChildProcess.Start("dotnet", [Checkout.Campaign, "--only", part, "--index", $"{index}", "--count", $"{count}"]);
        int code = await campaign.WaitAsync(Patience);
        output.WriteLine(campaign.Output);
        Assert.True(code == 0, campaign.Output + campaign.Error);
    }
}
