namespace PSModel.Campaign.PowerCut;

/// <summary>What lies on a disk after the power failed. For one thread.</summary>
internal sealed class DiskState
{
    /// <summary>A disk writes no less at a time.</summary>
    private const int Sector = 512;

    private readonly Dictionary<string, MemoryStream> _entries = [];
    private readonly Dictionary<string, MemoryStream> _open = [];
    private readonly HashSet<string> _folders = [];

    /// <summary>Makes up one of the states that may be left.</summary>
    /// <param name="history">What was done.</param>
    /// <param name="cut">The last step before the power failed.</param>
    /// <param name="loss">What is lost of that which was not safe.</param>
    /// <param name="random">Chooses where there is a choice.</param>
    public DiskState(DiskHistory history, int cut, LossKind loss, Random random)
    {
        int late = random.Next(cut + 1);
        for (int i = 0; i <= cut; i++)
        {
            DiskStep step = history.Steps[i];
            bool isSafe = history.IsSafe(i, cut);
            bool isKept = isSafe || loss switch
            {
                LossKind.All => false,
                LossKind.Nothing or LossKind.Zeros => true,
                LossKind.Data => !step.IsOfData,
                LossKind.Entries => step.IsOfData,
                LossKind.Late => i < late,
                _ => random.Next(2) == 0,
            };
            Apply(step, isKept, !isSafe && loss == LossKind.Zeros, !isSafe && loss == LossKind.Torn ? random : null);
        }
    }

    /// <summary>Writes it below a folder.</summary>
    /// <param name="from">Where it all was.</param>
    /// <param name="to">Where it comes to lie.</param>
    public void Write(string from, string to)
    {
        foreach (string folder in _folders.Where(folder => IsReachable(folder, from)))
        {
            Directory.CreateDirectory(to + folder[from.Length..]);
        }

        foreach ((string path, MemoryStream file) in _entries.Where(entry => IsReachable(Path.GetDirectoryName(entry.Key)!, from)))
        {
            File.WriteAllBytes(to + path[from.Length..], file.ToArray());
        }
    }

    private bool IsReachable(string folder, string root) =>
        folder == root || (_folders.Contains(folder) && IsReachable(Path.GetDirectoryName(folder)!, root));

    /// <summary>What a process sees goes on in any case; what the disk has only where the step is kept.</summary>
    private void Apply(DiskStep step, bool isKept, bool isZeros, Random? torn)
    {
        switch (step.Kind)
        {
            case 'C':
                _open[step.Path] = new MemoryStream();
                Keep(isKept, step.Path);
                break;
            case 'R' when _open.Remove(step.Path, out MemoryStream? moved):
                _open[step.To] = moved;
                if (isKept)
                {
                    _entries.Remove(step.Path);
                    _entries[step.To] = moved;
                }

                break;
            case 'U':
                _open.Remove(step.Path);
                _ = isKept && _entries.Remove(step.Path);
                break;
            case 'M' when isKept:
                _folders.Add(step.Path);
                break;
            case 'T' when isKept && _open.TryGetValue(step.Path, out MemoryStream? cut):
                cut.SetLength(step.Offset);
                break;
            case 'W' when isKept && _open.TryGetValue(step.Path, out MemoryStream? file):
                int whole = step.Bytes!.Length;
                int length = torn is null ? whole : Math.Min(whole, torn.Next((whole / Sector) + 2) * Sector);
                file.Position = step.Offset;
                file.Write(isZeros ? new byte[length] : step.Bytes, 0, length);
                break;
        }
    }

    private void Keep(bool isKept, string path)
    {
        if (isKept)
        {
            _entries[path] = _open[path];
        }
    }
}
