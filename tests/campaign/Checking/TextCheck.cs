namespace PSModel.Campaign.Checking;

/// <summary>What must hold of every text that a user may see.</summary>
internal static class TextCheck
{
    /// <summary>Stands in every query and in the user information of every address that the registry names.</summary>
    public const string Secret = "hunter2";

    /// <summary>The sentence around it, and 500 characters from outside.</summary>
    private const int Longest = 1500;

    public static void Look(Checker checker, string kind, string text)
    {
        checker.That(!text.Contains(Secret, StringComparison.Ordinal), "no secrets told", () => $"{kind} shows one: {Shown(text)}");
        checker.That(!text.Any(char.IsControl), "no control characters", () => $"{kind} has one: {Shown(text)}");
        checker.That(text.Length <= Longest, "short messages", () => $"{kind} has {text.Length} characters: {Shown(text)}");
    }

    private static string Shown(string text)
    {
        string start = text.Length > 300 ? text[..300] : text;
        return string.Concat(start.Select(c => char.IsControl(c) ? $"\\x{(int)c:x2}" : c.ToString()));
    }
}
