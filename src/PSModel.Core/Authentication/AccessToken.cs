using System.Diagnostics;

namespace PSModel.Core.Authentication;

/// <summary>What goes into the header <c>Authorization</c>, and for how long. Immutable. It has no text: none of it may be shown.</summary>
internal sealed class AccessToken(string header, TimeSpan? life)
{
    private readonly long _end = life is { } time ? Stopwatch.GetTimestamp() + (long)(time.TotalSeconds * Stopwatch.Frequency) : long.MaxValue;

    public string Header => header;

    /// <summary>Whether the registry will refuse it, by what its service said.</summary>
    public bool HasExpired => Stopwatch.GetTimestamp() >= _end;
}
