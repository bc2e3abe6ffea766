namespace PSModel.Core.Scheduling;

/// <summary>What a lane that asked is to do now. Immutable.</summary>
/// <param name="Kind">Which of the three.</param>
/// <param name="Until">With <see cref="LaneOrderKind.Wait"/>: when to ask again at the latest.</param>
internal readonly record struct LaneOrder(LaneOrderKind Kind, long Until = 0)
{
    public static LaneOrder Fetch { get; } = new(LaneOrderKind.Fetch);

    public static LaneOrder Leave { get; } = new(LaneOrderKind.Leave);

    public static LaneOrder Wait(long until) => new(LaneOrderKind.Wait, until);
}
