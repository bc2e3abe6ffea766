namespace PSModel.Campaign.Calls;

/// <summary>One call: what is saved, and how it ends. Immutable.</summary>
internal sealed record CallPlan
{
    public required string Store { get; init; }

    /// <summary>The models, with scheme and port.</summary>
    public required IReadOnlyList<string> Names { get; init; }

    public int Connections { get; init; } = 4;

    public bool ReadBack { get; init; }

    public bool Force { get; init; }

    public bool Repair { get; init; }

    public long BandwidthLimit { get; init; }

    public int Retries { get; init; } = 2;

    /// <summary>Whether the registry is trusted to answer: long timeouts, so that a slow machine is no fault.</summary>
    public bool IsPatient { get; init; }

    /// <summary>Stop it after so many milliseconds; <see langword="null"/> for not at all.</summary>
    public int? StopAfter { get; init; }

    /// <summary>Stop it once the registry has sent so many bytes of blobs.</summary>
    public long? StopAtBytes { get; init; }

    /// <summary>It runs in a process of its own, which is killed in place of being stopped.</summary>
    public bool IsKilled { get; init; }

    /// <summary>The process is halted for a while first.</summary>
    public bool IsHalted { get; init; }
}
