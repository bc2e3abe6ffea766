namespace PSModel.Cli;

/// <summary>Turns the program's arguments into PowerShell.</summary>
internal static class CommandLine
{
    private const string PlainCharacters = "-_.:/\\,=*?~$@";

    /// <summary>One argument is a script as it stands; several are the words of one command.</summary>
    public static string ToScript(string[] arguments) =>
        arguments.Length == 1 ? arguments[0] : string.Join(' ', arguments.Select(Quote));

    private static string Quote(string word)
    {
        bool isPlain = word.Length > 0 && word.All(c => char.IsAsciiLetterOrDigit(c) || PlainCharacters.Contains(c, StringComparison.Ordinal));
        return isPlain ? word : $"'{word.Replace("'", "''", StringComparison.Ordinal)}'";
    }
}
