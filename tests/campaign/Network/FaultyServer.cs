using System.Collections.Concurrent;
using PSModel.Campaign.Checking;
using PSModel.Campaign.Reporting;
using PSModel.Loopback;

namespace PSModel.Campaign.Network;

/// <summary>What a registry does wrong in one scenario: a few kinds of faults, each so and so often. Thread-safe.</summary>
internal sealed class FaultyServer
{
    /// <summary>Addresses of a storage service that the registry redirects to begin with it.</summary>
    private const string Elsewhere = "/elsewhere/";

    private static readonly FaultKind[] All = Enum.GetValues<FaultKind>();

    private readonly LoopbackRegistry _registry;
    private readonly Random _random;
    private readonly PartReport _report;
    private readonly AnswerFaults _faults;
    private readonly FaultKind[] _kinds;
    private readonly double _blobRate;
    private readonly double _manifestRate;
    private readonly double _resetRate;
    private readonly long _pace;
    private readonly ConcurrentDictionary<string, int> _uses = new();

    public FaultyServer(LoopbackRegistry registry, DeadHosts dead, Random random, PartReport report)
    {
        _registry = registry;
        _random = new Random(random.Next());
        _report = report;
        _faults = new AnswerFaults(_random, dead, registry.Address);
        _kinds = [.. Enumerable.Range(0, random.Next(1, 6)).Select(_ => All[random.Next(All.Length)])];
        _blobRate = Pick(random, 0.05, 0.2, 0.4, 0.7, 1);
        _manifestRate = Pick(random, 0, 0, 0.05, 0.2);
        _resetRate = Pick(random, 0, 0, 0, 0.1, 0.5);
        _pace = (long)Pick(random, 0, 0, 3_000_000, 20_000_000);
    }

    /// <summary>Whether wrong bytes may lie in a checkpoint that was made of what was sent.</summary>
    public bool HasSentWrongBytes { get; private set; }

    public string Kinds => $"{string.Join(" ", _kinds)} at {_blobRate}, manifests {_manifestRate}, resets {_resetRate}";

    /// <summary>Begins to misbehave.</summary>
    public void Begin()
    {
        _registry.Fault = Answer;
        _registry.Refuses = _ => IsReset();
    }

    /// <summary>From now on every answer is right.</summary>
    public void End()
    {
        _registry.Fault = null;
        _registry.Refuses = null;
    }

    private static double Pick(Random random, params double[] choices) => choices[random.Next(choices.Length)];

    private bool IsReset()
    {
        lock (_random)
        {
            bool isReset = _random.NextDouble() < _resetRate;
            Count(isReset ? "ResetOnAccept" : null);
            return isReset;
        }
    }

    private void Answer(LoopbackRequest request, LoopbackAnswer answer)
    {
        lock (_random)
        {
            if (request.IsBlob)
            {
                answer.BytesPerSecond = _pace;
            }

            if (IsExpired(request))
            {
                answer.Become(403, "<Error><Code>AccessDenied</Code></Error>", "application/xml");
                return;
            }

            if (_random.NextDouble() < (request.IsBlob ? _blobRate : _manifestRate))
            {
                FaultKind kind = _kinds[_random.Next(_kinds.Length)];
                Count(kind.ToString());
                HasSentWrongBytes |= kind is FaultKind.FlippedBit or FaultKind.LyingRange;
                _faults.Apply(kind, request, answer);
            }
        }
    }

    /// <summary>An address that holds for a number of requests.</summary>
    private bool IsExpired(LoopbackRequest request)
    {
        const string Holds = "holds=";
        int at = request.Path.IndexOf(Holds, StringComparison.Ordinal);
        return request.Path.StartsWith(Elsewhere, StringComparison.Ordinal)
            && at > 0
            && _uses.AddOrUpdate(request.Path, 1, (_, count) => count + 1) > request.Path[at + Holds.Length] - '0';
    }

    private void Count(string? kind)
    {
        if (kind is not null)
        {
            _report.CountFault(kind);
        }
    }
}
