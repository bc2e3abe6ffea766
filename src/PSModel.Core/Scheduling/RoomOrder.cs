namespace PSModel.Core.Scheduling;

/// <summary>What a lane that wants to read on is to do.</summary>
internal enum RoomOrder
{
    /// <summary>Read on; where it asked for a buffer, it has one now.</summary>
    GoOn,

    /// <summary>Let go of the buffer, and ask again when something has changed.</summary>
    Wait,

    /// <summary>The segment is no longer its own: it is complete, or something else is more urgent.</summary>
    Drop,
}
