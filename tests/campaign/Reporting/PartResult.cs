namespace PSModel.Campaign.Reporting;

/// <summary>What a part has come to, as one process hands it to another.</summary>
internal sealed record PartResult(int Scenarios, Dictionary<string, int> Faults, Dictionary<string, int> Checks, List<Violation> Violations, TimeSpan SlowestStop);
