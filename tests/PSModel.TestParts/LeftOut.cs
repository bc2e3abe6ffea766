namespace PSModel.TestParts;

/// <summary>The tests that are not run under Wine: lines of a class, or of a class and a method, a colon and the reason. Thread-safe.</summary>
internal sealed class LeftOut
{
    private readonly HashSet<string> _names;
    private readonly HashSet<string> _used = [];
    private int _count;

    private LeftOut(HashSet<string> names) => _names = names;

    /// <summary>The tests that were left out so far, each case of one that has several.</summary>
    public int Count => _count;

    /// <exception cref="FormatException">A line has no reason.</exception>
    public static LeftOut Read() => new([.. File.ReadLines(Path.Combine(Checkout.Root, "tests", "windows", "left-out.txt"))
        .Where(line => line.Length > 0 && line[0] != '#')
        .Select(line => line.Split(": ", 2) is [string name, { Length: > 0 }] ? name : throw new FormatException($"'{line}' has no reason."))]);

    public bool Has(string type, string method)
    {
        string? name = _names.Contains(type) ? type : _names.Contains(method) ? method : null;
        if (name is null)
        {
            return false;
        }

        lock (_used)
        {
            _used.Add(name);
            _count++;
        }

        return true;
    }

    /// <summary>The names of an assembly that no test has.</summary>
    public IEnumerable<string> Unused(string assembly) =>
        _names.Where(name => name.StartsWith($"{assembly}.", StringComparison.Ordinal) && !_used.Contains(name));
}
