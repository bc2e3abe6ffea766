using System.Globalization;
using System.Text;

namespace PSModel.Campaign.PowerCut;

/// <summary>All steps of a save, and when each was safe. Immutable once made.</summary>
internal sealed class DiskHistory
{
    private readonly List<DiskStep> _steps = [];

    /// <summary>For each step the number of the one from which on it is safe.</summary>
    private readonly List<int> _safeFrom = [];

    private DiskHistory()
    {
    }

    public IReadOnlyList<DiskStep> Steps => _steps;

    /// <summary>Reads what the shim wrote down.</summary>
    public static DiskHistory Read(string path)
    {
        DiskHistory history = new();
        byte[] log = File.ReadAllBytes(path);
        for (int at = 0; at < log.Length;)
        {
            int end = Array.IndexOf(log, (byte)'\n', at);
            string[] fields = Encoding.UTF8.GetString(log, at, end - at).Split('\t');
            at = end + 1;
            DiskStep step = fields[0][0] switch
            {
                'W' => new DiskStep('W', fields[3], Offset: Number(fields[1]), Bytes: log[at..(at + (int)Number(fields[2]))]),
                'T' => new DiskStep('T', fields[2], Offset: Number(fields[1])),
                'R' => new DiskStep('R', fields[1], fields[2]),
                _ => new DiskStep(fields[0][0], fields[1]),
            };
            at += step.Bytes?.Length ?? 0;
            history._steps.Add(step);
        }

        history.FindSafety();
        return history;
    }

    /// <summary>Whether a step cannot be lost any more when the power fails after another.</summary>
    public bool IsSafe(int step, int cut) => _safeFrom[step] <= cut;

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    /// <summary>Data is safe once its file is flushed, an entry once its folder is, and both once the volume is.</summary>
    private void FindSafety()
    {
        Dictionary<string, int> files = [];
        List<(int Step, int File, string Folder)> open = [];
        int made = 0;
        for (int i = 0; i < _steps.Count; i++)
        {
            DiskStep step = _steps[i];
            _safeFrom.Add(int.MaxValue);
            switch (step.Kind)
            {
                case 'C':
                    files[step.Path] = ++made;
                    open.Add((i, 0, FolderOf(step.Path)));
                    break;
                case 'R':
                    files[step.To] = files.GetValueOrDefault(step.Path);
                    files.Remove(step.Path);
                    open.Add((i, 0, FolderOf(step.To)));
                    break;
                case 'U':
                    files.Remove(step.Path);
                    open.Add((i, 0, FolderOf(step.Path)));
                    break;
                case 'M':
                    open.Add((i, 0, FolderOf(step.Path)));
                    break;
                case 'W' or 'T':
                    open.Add((i, files.GetValueOrDefault(step.Path, -1), string.Empty));
                    break;
                case 'F':
                    int file = files.GetValueOrDefault(step.Path, -2);
                    Settle(open, i, each => each.Folder == step.Path || (each.Folder.Length == 0 && each.File == file));
                    break;
                case 'S':
                    Settle(open, i, _ => true);
                    break;
            }
        }
    }

    private void Settle(List<(int Step, int File, string Folder)> open, int at, Predicate<(int Step, int File, string Folder)> isSafe)
    {
        open.FindAll(isSafe).ForEach(each => _safeFrom[each.Step] = at);
        open.RemoveAll(isSafe);
    }

    private static string FolderOf(string path) => Path.GetDirectoryName(path)!;
}
