using System.Management.Automation;

namespace PSModel.Cli;

/// <summary>
/// The outermost progress as one line of standard error: redrawn in place on a terminal, a line for each quarter elsewhere,
/// so that a build agent's log stays short.
/// </summary>
internal sealed class ProgressLine
{
    private const int BarLength = 30;
    private const int Quarter = 25;

    private int _nextQuarter;
    private int _shown;

    public void Show(ProgressRecord record)
    {
        if (record.ParentActivityId >= 0)
        {
            return;
        }

        if (record.RecordType == ProgressRecordType.Completed)
        {
            Clear();
            _nextQuarter = 0;
        }
        else if (!Console.IsErrorRedirected)
        {
            Redraw(Describe(record));
        }
        else if (record.PercentComplete >= _nextQuarter)
        {
            Console.Error.WriteLine(Describe(record));
            _nextQuarter = ((record.PercentComplete / Quarter) + 1) * Quarter;
        }
    }

    public void Clear()
    {
        if (_shown > 0)
        {
            Console.Error.Write($"\r{new string(' ', _shown)}\r");
            _shown = 0;
        }
    }

    private static string Describe(ProgressRecord record)
    {
        int filled = Math.Clamp(record.PercentComplete, 0, 100) * BarLength / 100;
        string bar = $"{new string('#', filled)}{new string('.', BarLength - filled)}";
        string left = record.SecondsRemaining > 0 ? $", {TimeSpan.FromSeconds(record.SecondsRemaining):g} left" : string.Empty;
        return $"{record.Activity} [{bar}] {record.PercentComplete,3} %  {record.StatusDescription}{left}";
    }

    private void Redraw(string line)
    {
        int width = Math.Max(20, Console.WindowWidth - 1);
        string cut = line.Length > width ? line[..width] : line;
        Console.Error.Write($"\r{cut.PadRight(_shown)}");
        _shown = cut.Length;
    }
}
