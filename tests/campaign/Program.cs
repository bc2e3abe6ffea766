using System.Text.Json;
using PSModel.Campaign;
using PSModel.Campaign.Calls;
using PSModel.Campaign.Reporting;
using PSModel.Campaign.Storage;

if (args is ["-h" or "--help"])
{
    Console.WriteLine("""
        Saves models while everything around goes wrong, checks after every step what must hold whatever happens, and prints a
        table. Every scenario is made from a seed and a number, so that one can be run again alone.

          --seed N        the seed (1)
          --count N       scenarios of each part; each part has its own default
          --index N       begin with the scenario of this number (0)
          --only NAMES    some parts, with commas between them:
            network         a registry that does anything but answer right; work files damaged, processes killed in between
            storage         each step in the store fails once; folders vanish, volumes are full or not to be written (needs gcc)
            powercut        the power fails at each step of a save, and what was not flushed is lost (needs gcc)
            ctrlc           stopped at any moment
            load            200 models, a model of 5,000 blobs, four processes on one store, six runspaces, a blob of 64 GiB
          --parallel N    scenarios at a time, in network (8)
          --folder PATH   where the stores are made (/dev/shm, or the system's folder for temporary files)

        It ends with 1 where something did not hold, and says which scenario that was.
        """);
    return 0;
}

if (args is [ChildCall.Command, { } call])
{
    return await ChildCall.RunAsync(call);
}

if (args is [StoreShim.Command, { } shimmed, { } text, { } result])
{
    StoreShim.Attach();
    PartReport found = new(shimmed);
    await CampaignPart.Shimmed.Single(part => part.Name == shimmed).RunAsync(JsonSerializer.Deserialize<CampaignOptions>(text)!, found);
    await File.WriteAllTextAsync(result, JsonSerializer.Serialize(found.ToResult()));
    return 0;
}

CampaignOptions options = CampaignOptions.Parse(args);
List<PartReport> reports = [];
foreach (CampaignPart part in CampaignPart.All.Where(part => options.Only.Length == 0 || options.Only.Contains(part.Name)))
{
    PartReport report = new(part.Name);
    await part.RunAsync(options, report);
    reports.Add(report);
}

Console.WriteLine(CampaignTable.Of(reports));
foreach (IGrouping<(string, int, string), Violation> same in reports.SelectMany(report => report.Violations).GroupBy(violation => (violation.Part, violation.Index, violation.Invariant)))
{
    Violation violation = same.First();
    Console.WriteLine($"{violation.Part}: {violation.Invariant}, {same.Count()} times: {violation.Text}");
    Console.WriteLine($"    again: --only {violation.Part} --seed {options.Seed} --index {violation.Index} --count 1");
}

return reports.Count > 0 && reports.All(report => report.Violations.Count == 0) ? 0 : 1;
