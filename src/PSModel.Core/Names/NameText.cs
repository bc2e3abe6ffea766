namespace PSModel.Core.Names;

/// <summary>What the texts of model names and of OCI references have in common.</summary>
internal static class NameText
{
    /// <summary>Stands after the scheme, where one is given.</summary>
    public const string SchemeSeparator = "://";

    /// <summary>What is wrong with a text that holds a secret.</summary>
    public const string HoldsSecret = "it holds a user name or a password, which histories and logs would keep; give it without them, and the credentials by -Credential or -Token";

    /// <summary>Takes the scheme away from the front of a text.</summary>
    /// <returns>The scheme; <see langword="null"/> where there is none.</returns>
    public static string? CutScheme(ref string? text)
    {
        int end = text?.IndexOf(SchemeSeparator, StringComparison.Ordinal) ?? -1;
        if (end < 0)
        {
            return null;
        }

        string scheme = text!.Substring(0, end);
        text = text.Substring(end + SchemeSeparator.Length);
        return scheme;
    }

    /// <summary>What is wrong with a scheme; <see langword="null"/> where nothing is.</summary>
    public static string? CheckScheme(string? scheme) => scheme is null or "https" or "http" ? null : "its scheme is neither https nor http";

    /// <summary>What every part may begin with.</summary>
    public static bool IsWordCharacter(char c) => c is >= 'A' and <= 'Z' or >= 'a' and <= 'z' or >= '0' and <= '9' or '_';

    /// <summary>What models, tags and the parts of a repository are made of.</summary>
    public static bool IsNameCharacter(char c) => IsWordCharacter(c) || c is '-' or '.';
}
