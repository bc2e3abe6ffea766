using System.Diagnostics;
using System.Globalization;
using PSModel.TestParts;

namespace PSModel.Benchmarks.Measuring;

/// <summary>A shell command to be measured. <c>$OUT</c> in it is an empty folder, new for each run.</summary>
internal sealed record Contender(string Name, string Command, string[] Needs)
{
    private const string Timer = "/usr/bin/time";
    private const string Figure = "figure ";

    /// <summary>Whether it is PSModel, whose memory has a bound.</summary>
    public bool IsOurs { get; init; }

    /// <summary>What its environment has on top.</summary>
    public (string Name, string Value)[] Environment { get; init; } = [];

    /// <summary>Called before each run.</summary>
    public Action? Prepare { get; init; }

    /// <summary>Something that only rises: the processor time of a server, or the bytes that it has sent.</summary>
    public Func<double>? Counter { get; init; }

    /// <summary>A run that takes longer is killed, and counts as one that never ends.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(10);

    public bool CanRun => Needs.Append("bash").All(program => NeedsFactAttribute.Find(program) is not null);

    /// <summary>Runs it once.</summary>
    /// <param name="folder">In it the run's own folder is made.</param>
    /// <param name="remove">Removes that folder, now or later; at once where nothing is said.</param>
    public async Task<Measurement> RunAsync(string folder, Action<string>? remove = null)
    {
        string place = Path.Combine(folder, $"psmodel-bench-{Guid.NewGuid():N}");
        string times = $"{place}.time";
        Directory.CreateDirectory(place);
        try
        {
            Prepare?.Invoke();
            double counted = Counter?.Invoke() ?? 0;
            long before = Stopwatch.GetTimestamp();
            using ChildProcess process = ChildProcess.Start(
                Timer, ["-o", times, "-f", "%U %S %M", "bash", "-o", "pipefail", "-c", Command], [("OUT", place), .. Environment]);
            int code = await process.WaitAsync(Patience);
            double wall = Stopwatch.GetElapsedTime(before).TotalSeconds;
            counted = (Counter?.Invoke() ?? 0) - counted;
            if (code != 0)
            {
                throw new InvalidOperationException($"{Name} ended with {code}: {process.Error}{process.Output}");
            }

            double[] numbers = [.. File.ReadAllLines(times)[^1].Split(' ').Select(Parse)];
            return new Measurement(wall, numbers[0] + numbers[1], numbers[2] * 1024, counted, Figures(process.Output));
        }
        catch (TimeoutException)
        {
            return Measurement.Never;
        }
        finally
        {
            (remove ?? (static made => Directory.Delete(made, recursive: true)))(place);
            File.Delete(times);
        }
    }

    private static Dictionary<string, double> Figures(string output) => output
        .Split('\n')
        .Where(line => line.StartsWith(Figure, StringComparison.Ordinal))
        .Select(line => line[Figure.Length..].Split(' '))
        .ToDictionary(words => words[0], words => Parse(words[1]));

    private static double Parse(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
