namespace PSModel.TestParts;

/// <summary>The tests that have begun and not ended. Safe for several threads.</summary>
internal sealed class RunningTests
{
    /// <summary>No test of those that run in a <see cref="TestProgram"/> takes half of it, beside others of Wine as well.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    private readonly List<(string Name, long Since)> _tests = [];
    private long _changed = Environment.TickCount64;

    /// <summary>Whether none has begun or ended for four minutes.</summary>
    public bool HaveStalled
    {
        get
        {
            lock (_tests)
            {
                return TimeSpan.FromMilliseconds(Environment.TickCount64 - _changed) > Patience;
            }
        }
    }

    public void Begin(string name)
    {
        lock (_tests)
        {
            _changed = Environment.TickCount64;
            _tests.Add((name, _changed));
        }
    }

    public void End(string name)
    {
        lock (_tests)
        {
            _changed = Environment.TickCount64;
            int index = _tests.FindIndex(test => test.Name == name);
            if (index >= 0)
            {
                _tests.RemoveAt(index);
            }
        }
    }

    /// <summary>Each, with the seconds that it has run.</summary>
    public override string ToString()
    {
        lock (_tests)
        {
            return string.Join('\n', _tests.Select(test => $"{(Environment.TickCount64 - test.Since) / 1000,8} s  {test.Name}"));
        }
    }
}
