namespace PSModel.Campaign.Reporting;

/// <summary>Something that did not hold.</summary>
/// <param name="Part">The part that found it.</param>
/// <param name="Index">The number of the scenario.</param>
/// <param name="Invariant">What did not hold.</param>
/// <param name="Text">What was found, and when.</param>
internal sealed record Violation(string Part, int Index, string Invariant, string Text);
