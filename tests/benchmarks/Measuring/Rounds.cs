using System.Diagnostics;

namespace PSModel.Benchmarks.Measuring;

/// <summary>Runs contenders in turn, so that whatever changes on the machine changes for all.</summary>
internal sealed class Rounds(BenchmarkOptions options, Report report)
{
    /// <summary>A virtual machine gives the pages of removed files back to its host, and whoever wrote in the meantime would
    /// pay for it.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan ShortRest = TimeSpan.FromMilliseconds(500);

    /// <summary>Where the runs write; the folder in memory where nothing is said.</summary>
    public string Folder { get; init; } = options.Folder;

    /// <summary>Whether a first round, not measured, warms the caches.</summary>
    public bool IsWarmedUp { get; init; } = !options.IsQuick;

    /// <summary>Whether the runs are held by the network, so that a short rest is enough.</summary>
    public bool IsThrottled { get; init; }

    /// <summary>Whether files are removed when all scenarios have run. A file system looks long for a place of a new file where
    /// thousands have just been removed (ext4 passes over those of the last minute, one by one), and nobody who saves a model
    /// has done that.</summary>
    public bool IsKeptToTheEnd { get; init; }

    /// <summary>The medians of those that can run here.</summary>
    public async Task<Dictionary<Contender, Measurement>> MeasureAsync(params Contender[] contenders)
    {
        Dictionary<Contender, List<Measurement>> runs = contenders.Where(contender => contender.CanRun).ToDictionary(contender => contender, _ => new List<Measurement>());
        for (int round = IsWarmedUp ? 0 : 1; round <= options.Rounds; round++)
        {
            foreach ((Contender contender, List<Measurement> measured) in runs)
            {
                await SettleAsync();
                Measurement run = await contender.RunAsync(Folder, Remove);
                report.Note(contender, run);
                if (round > 0)
                {
                    measured.Add(run);
                }
            }
        }

        foreach (Contender missing in contenders.Where(contender => !contender.CanRun))
        {
            Console.WriteLine($"{missing.Name}: not run, for want of {string.Join(", ", missing.Needs)}");
        }

        return runs.ToDictionary(pair => pair.Key, pair => Measurement.Median(pair.Value));
    }

    /// <summary>As <see cref="MeasureAsync"/>, and prints the seconds, the processor time and the memory of each.</summary>
    public async Task<Dictionary<Contender, Measurement>> MeasureAndPrintAsync(params Contender[] contenders)
    {
        Dictionary<Contender, Measurement> medians = await MeasureAsync(contenders);
        Console.WriteLine("| | s | process s | CPU s | peak MiB | rounds, s |");
        Console.WriteLine("|---|---|---|---|---|---|");
        foreach ((Contender contender, Measurement median) in medians)
        {
            Console.WriteLine($"| {contender.Name} | {median.Seconds:0.000} | {median.Wall:0.00} | {median.Cpu:0.00} | {median.Memory / Units.MiB:0} | {string.Join(' ', median.Runs.Select(run => $"{run:0.00}"))} |");
        }

        return medians;
    }

    private void Remove(string place)
    {
        if (IsKeptToTheEnd)
        {
            report.Leftovers.Add(place);
        }
        else
        {
            Directory.Delete(place, recursive: true);
        }
    }

    /// <summary>What the run before left to be written is not this one's.</summary>
    private async Task SettleAsync()
    {
        if (Folder != options.Folder)
        {
            using Process sync = Process.Start("sync", ["-f", Folder]);
            await sync.WaitForExitAsync();
        }

        await Task.Delay(IsThrottled || options.IsQuick ? ShortRest : Rest);
    }
}
