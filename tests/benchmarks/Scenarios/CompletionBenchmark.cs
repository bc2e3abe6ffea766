using System.Globalization;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Benchmarks.Scenarios;

/// <summary>How long one waits for a completion on a store of a thousand models, and where only the engine works.</summary>
internal static class CompletionBenchmark
{
    private const int Models = 1000;

    /// <summary>Completions in one session: the first one compiles, and loads the core.</summary>
    private const int Calls = 21;

    private const string EngineAlone = "Save-ModelBlob -StorePath STORE -VerifyInl";

    private static readonly (string What, string Line)[] Lines =
    [
        ("a parameter, by the engine alone", EngineAlone),
        ("-Name with nothing typed", "Save-ModelBlob -StorePath STORE -Name "),
        ("-Name with a model typed", "Save-ModelBlob -StorePath STORE -Name model-77"),
        ("-Name with a host typed", "Save-ModelBlob -StorePath STORE -Name registry-7.example/team-"),
        ("-Digest", "Save-ModelBlob -StorePath STORE -Name model-77:1b -Digest "),
    ];

    /// <summary>Prints the medians of all sessions, each in a process of its own.</summary>
    public static async Task RunAsync(string folder, int rounds)
    {
        using TemporaryFolder store = new(folder);
        Fill(store.Path);
        Console.WriteLine($"| {Models} models | values | first of the session, ms | then, ms |");
        Console.WriteLine("|---|---|---|---|");
        Dictionary<string, List<double[]>> sessions = Lines.ToDictionary(line => line.What, _ => new List<double[]>());
        for (int round = 0; round < rounds; round++)
        {
            foreach ((string what, string line) in Lines)
            {
                sessions[what].Add(await MeasureAsync(line == EngineAlone ? string.Empty : EngineAlone, line.Replace("STORE", store.Path, StringComparison.Ordinal)));
            }
        }

        foreach ((string what, List<double[]> runs) in sessions)
        {
            double first = Median(runs.Select(run => run[1]));
            double then = Median(runs.SelectMany(run => run[2..]));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {what} | {runs[0][0]} | {first:0.0} | {then:0.0} |"));
        }
    }

    /// <summary>A thousand names in a store: half of Ollama's own, a quarter of its users', a quarter of other registries.</summary>
    private static void Fill(string store)
    {
        byte[] manifest = LoopbackModel.Generate("library/bench", "latest", 1).Manifest;
        for (int i = 0; i < Models; i++)
        {
            string owner = (i % 4) switch
            {
                0 or 1 => Path.Combine("registry.ollama.ai", "library"),
                2 => Path.Combine("registry.ollama.ai", $"user-{i % 100}"),
                _ => Path.Combine($"registry-{i % 10}.example", $"team-{i % 20}"),
            };
            string model = Path.Combine(store, "manifests", owner, $"model-{i}");
            Directory.CreateDirectory(model);
            File.WriteAllBytes(Path.Combine(model, "1b"), manifest);
        }
    }

    /// <summary>The number of values, then the milliseconds of each call.</summary>
    /// <param name="before">Completed first and not measured, so that what the engine compiles for itself counts once.</param>
    /// <param name="line">What is measured.</param>
    private static async Task<double[]> MeasureAsync(string before, string line)
    {
        using ChildProcess session = ChildProcess.StartScript($$"""
            $before = '{{before}}'
            if ($before) { $null = [System.Management.Automation.CommandCompletion]::CompleteInput($before, $before.Length, $null) }
            $line = '{{line}}'
            for ($i = 0; $i -lt {{Calls}}; $i++) {
                $clock = [System.Diagnostics.Stopwatch]::StartNew()
                $completion = [System.Management.Automation.CommandCompletion]::CompleteInput($line, $line.Length, $null)
                $milliseconds = $clock.Elapsed.TotalMilliseconds
                if ($i -eq 0) { $completion.CompletionMatches.Count }
                $milliseconds.ToString([cultureinfo]::InvariantCulture)
            }
            """);
        int code = await session.WaitAsync();
        return code == 0
            ? [.. session.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(text => double.Parse(text, CultureInfo.InvariantCulture))]
            : throw new InvalidOperationException($"The session ended with {code}: {session.Output}{session.Error}");
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }
}
