using PSModel.Campaign.Load;
using PSModel.Campaign.Network;
using PSModel.Campaign.PowerCut;
using PSModel.Campaign.Reporting;
using PSModel.Campaign.Stop;
using PSModel.Campaign.Storage;

namespace PSModel.Campaign;

/// <summary>A part of the campaign.</summary>
/// <param name="Name">Its name.</param>
/// <param name="RunAsync">Runs it and tells the report what it finds.</param>
internal sealed record CampaignPart(string Name, Func<CampaignOptions, PartReport, Task> RunAsync)
{
    /// <summary>The parts that need the shim, as they are in a process that has it.</summary>
    public static IReadOnlyList<CampaignPart> Shimmed { get; } = [new("storage", StoragePart.RunAsync), new("powercut", PowerCutPart.RunAsync)];

    /// <summary>All parts, in the order in which they are run.</summary>
    public static IReadOnlyList<CampaignPart> All { get; } = [new("network", NetworkPart.RunAsync), .. Shimmed.Select(part => part with { RunAsync = StoreShim.RunPartAsync }), new("ctrlc", StopPart.RunAsync), new("load", LoadPart.RunAsync)];
}
