using System.Collections.Concurrent;
using System.Diagnostics;

namespace PSModel.Campaign.Reporting;

/// <summary>What a part has done and found. Thread-safe.</summary>
internal sealed class PartReport(string part)
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly ConcurrentDictionary<string, int> _faults = new();
    private readonly ConcurrentDictionary<string, int> _checks = new();
    private readonly ConcurrentQueue<Violation> _violations = new();
    private int _scenarios;
    private long _slowest;

    public string Part => part;

    public int Scenarios => Volatile.Read(ref _scenarios);

    public IReadOnlyDictionary<string, int> Faults => _faults;

    public IReadOnlyDictionary<string, int> Checks => _checks;

    public IReadOnlyCollection<Violation> Violations => _violations;

    public TimeSpan Elapsed => _clock.Elapsed;

    /// <summary>The longest time from a stop to the end of its call.</summary>
    public TimeSpan SlowestStop => TimeSpan.FromMilliseconds(Interlocked.Read(ref _slowest));

    /// <summary>What it has come to so far, to be handed from process to process.</summary>
    public PartResult ToResult() => new(Scenarios, new(_faults), new(_checks), [.. _violations], SlowestStop);

    /// <summary>Takes over what another process found.</summary>
    public void Add(PartResult other)
    {
        Interlocked.Add(ref _scenarios, other.Scenarios);
        Merge(_faults, other.Faults);
        Merge(_checks, other.Checks);
        foreach (Violation violation in other.Violations)
        {
            _violations.Enqueue(violation);
        }

        NoteStop(other.SlowestStop);
    }

    private static void Merge(ConcurrentDictionary<string, int> into, Dictionary<string, int> from)
    {
        foreach ((string name, int more) in from)
        {
            into.AddOrUpdate(name, more, (_, count) => count + more);
        }
    }

    public void CountScenario() => Interlocked.Increment(ref _scenarios);

    public void CountFault(string kind) => _faults.AddOrUpdate(kind, 1, (_, count) => count + 1);

    public void NoteStop(TimeSpan time)
    {
        long milliseconds = (long)time.TotalMilliseconds;
        for (long known = Interlocked.Read(ref _slowest); milliseconds > known; known = Interlocked.Read(ref _slowest))
        {
            Interlocked.CompareExchange(ref _slowest, milliseconds, known);
        }
    }

    /// <summary>Notes whether something held.</summary>
    /// <param name="holds">Whether it did.</param>
    /// <param name="invariant">What must hold, in a word or two.</param>
    /// <param name="index">The number of the scenario.</param>
    /// <param name="text">What was found instead.</param>
    public void Check(bool holds, string invariant, int index, Func<string> text)
    {
        _checks.AddOrUpdate(invariant, 1, (_, count) => count + 1);
        if (!holds)
        {
            _violations.Enqueue(new Violation(part, index, invariant, text()));
        }
    }
}
