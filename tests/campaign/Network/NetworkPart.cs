using PSModel.Campaign.Checking;
using PSModel.Campaign.Reporting;

namespace PSModel.Campaign.Network;

/// <summary>Calls against a registry that misbehaves, one scenario after the other and several at a time.</summary>
internal static class NetworkPart
{
    private const int Usual = 200;

    public static async Task RunAsync(CampaignOptions options, PartReport report)
    {
        using DeadHosts dead = new();
        ParallelOptions parallel = new() { MaxDegreeOfParallelism = options.Parallel };
        await Parallel.ForEachAsync(Enumerable.Range(options.Index, options.Count ?? Usual), parallel, async (index, _) =>
        {
            Checker checker = new(report, index);
            await new NetworkScenario(options, index, checker, dead).RunAsync();
            report.CountScenario();
        });
    }
}
