namespace PSModel.Core.Scheduling;

/// <summary>What a lane is doing.</summary>
internal enum LanePhase
{
    /// <summary>It has no segment.</summary>
    Free,

    /// <summary>It has asked for its segment and has no answer yet.</summary>
    Opening,

    /// <summary>It reads.</summary>
    Receiving,

    /// <summary>It has a segment and waits for a buffer.</summary>
    WaitingForRoom,
}
