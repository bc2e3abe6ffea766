using System.Diagnostics;
using System.Globalization;
using PSModel.TestParts;

namespace PSModel.Benchmarks;

/// <summary>A shell command to be measured. <c>$OUT</c> in it is an empty folder, new for each run.</summary>
internal sealed record Contender(string Name, string Command, string[] Needs)
{
    private const string Timer = "/usr/bin/time";

    /// <summary>A virtual machine gives the pages of removed files back to its host, and whoever wrote in the meantime would
    /// pay for it.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(3);

    public bool CanRun => Needs.Append("bash").All(program => NeedsFactAttribute.Find(program) is not null);

    public async Task<Measurement> RunAsync(string folder)
    {
        string place = Path.Combine(folder, $"psmodel-bench-{Guid.NewGuid():N}");
        string figures = $"{place}.time";
        Directory.CreateDirectory(place);
        try
        {
            long before = Stopwatch.GetTimestamp();
            using ChildProcess process = ChildProcess.Start(Timer, ["-o", figures, "-f", "%U %S %M", "bash", "-o", "pipefail", "-c", Command], ("OUT", place));
            int code = await process.WaitAsync();
            double wall = Stopwatch.GetElapsedTime(before).TotalSeconds;
            if (code != 0)
            {
                throw new InvalidOperationException($"{Name} ended with {code}: {process.Error}{process.Output}");
            }

            double[] numbers = [.. File.ReadAllLines(figures)[^1].Split(' ').Select(text => double.Parse(text, CultureInfo.InvariantCulture))];
            return new Measurement(wall, numbers[0] + numbers[1], numbers[2] * 1024);
        }
        finally
        {
            Directory.Delete(place, recursive: true);
            File.Delete(figures);
            await Task.Delay(Rest);
        }
    }
}
