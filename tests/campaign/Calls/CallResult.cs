using PSModel.Core.Faults;

namespace PSModel.Campaign.Calls;

/// <summary>What came of a call.</summary>
internal sealed record CallResult
{
    /// <summary>Whether it was stopped or killed.</summary>
    public bool IsStopped { get; init; }

    /// <summary>Why blobs and models failed.</summary>
    public IReadOnlyList<ModelFaultException> Faults { get; init; } = [];

    /// <summary>Whether everything was saved.</summary>
    public bool IsWhole => !IsStopped && Faults.Count == 0;
}
