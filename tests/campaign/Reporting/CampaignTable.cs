using System.Globalization;
using System.Text;

namespace PSModel.Campaign.Reporting;

/// <summary>The table, in Markdown.</summary>
internal static class CampaignTable
{
    public static string Of(IReadOnlyCollection<PartReport> reports)
    {
        StringBuilder table = new();
        table.AppendLine("| part | scenarios | faults by kind | invariants checked | violations |");
        table.AppendLine("|---|---|---|---|---|");
        foreach (PartReport report in reports)
        {
            table.AppendLine(CultureInfo.InvariantCulture, $"| {report.Part} | {report.Scenarios} | {List(report.Faults)} | {List(report.Checks)} | {report.Violations.Count} |");
        }

        table.AppendLine();
        foreach (PartReport report in reports)
        {
            string stop = report.SlowestStop > TimeSpan.Zero ? $"; the slowest stop took {report.SlowestStop.TotalSeconds:0.00} s" : string.Empty;
            table.AppendLine(CultureInfo.InvariantCulture, $"{report.Part}: {report.Elapsed.TotalSeconds:0} s{stop}");
        }

        return table.ToString();
    }

    private static string List(IReadOnlyDictionary<string, int> counts) => counts.Count == 0
        ? "–"
        : string.Join(", ", counts.OrderBy(count => count.Key, StringComparer.Ordinal).Select(count => string.Create(CultureInfo.InvariantCulture, $"{count.Key} {count.Value}")));
}
