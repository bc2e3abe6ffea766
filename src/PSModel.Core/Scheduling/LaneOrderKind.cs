namespace PSModel.Core.Scheduling;

/// <summary>The kinds of order.</summary>
internal enum LaneOrderKind
{
    /// <summary>Fetch the segment that the lane has now.</summary>
    Fetch,

    /// <summary>Ask again when something has changed.</summary>
    Wait,

    /// <summary>End.</summary>
    Leave,
}
