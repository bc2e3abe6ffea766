namespace PSModel.Benchmarks.Measuring;

/// <summary>The rows with a bound, as they are printed, and the largest memory of all PSModel runs.</summary>
internal sealed class Report
{
    private const double LargestMemory = 250;
    private readonly List<string> _missed = [];
    private (string Name, double Bytes) _peak = (string.Empty, 0);

    /// <summary>A scenario's name, for the row of the peak memory.</summary>
    public string Scenario { get; set; } = string.Empty;

    /// <summary>Folders to be removed at the end.</summary>
    public List<string> Leftovers { get; } = [];

    /// <summary>Whether all rows so far keep their bounds.</summary>
    public bool IsKept => _missed.Count == 0;

    public void AtMost(string what, double figure, double bound, string unit = "×") =>
        Print($"row: {what} = {figure:0.00} {unit} (at most {bound:0.00} {unit})", figure <= bound);

    public void AtLeast(string what, double figure, double bound, string unit = "×") =>
        Print($"row: {what} = {figure:0.00} {unit} (at least {bound:0.00} {unit})", figure >= bound);

    /// <summary>A scenario that could not be measured to its end.</summary>
    public void Failed(string why) => Print($"row: {Scenario} FAILED: {why}", isKept: false);

    /// <summary>Takes note of a run's memory.</summary>
    public void Note(Contender contender, Measurement run)
    {
        if (contender.IsOurs && run.Memory > _peak.Bytes)
        {
            _peak = ($"{Scenario}, {contender.Name}", run.Memory);
        }
    }

    /// <summary>What is known when all has run.</summary>
    public void End()
    {
        Console.WriteLine();
        if (_peak.Bytes > 0)
        {
            AtMost($"peak memory of all PSModel processes ({_peak.Name})", _peak.Bytes / Units.MB, LargestMemory, "MB");
        }

        Leftovers.ForEach(folder => Directory.Delete(folder, recursive: true));
        Console.WriteLine(IsKept ? "All bounds are kept." : $"Missed: {_missed.Count}");
        _missed.ForEach(row => Console.WriteLine($"  {row}"));
    }

    private void Print(string row, bool isKept)
    {
        Console.WriteLine(row);
        if (!isKept)
        {
            _missed.Add(row);
        }
    }
}
