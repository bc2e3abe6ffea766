using System.Management.Automation;

namespace PSModel.Completion;

/// <summary>What stands on the command line where a value is to be completed, with the quote that it begins with. Immutable.</summary>
internal sealed class TypedWord
{
    // PowerShell takes typographic quotes for quotes, and so do its completers.
    private const string SingleQuotes = "'\u2018\u2019\u201a\u201b";
    private const string DoubleQuotes = "\"\u201c\u201d\u201e";

    private readonly string _quote;
    private readonly WildcardPattern? _pattern;

    public TypedWord(string? word)
    {
        Text = word ?? string.Empty;
        string quotes = Text.Length == 0 ? string.Empty
            : SingleQuotes.IndexOf(Text[0]) >= 0 ? SingleQuotes
            : DoubleQuotes.IndexOf(Text[0]) >= 0 ? DoubleQuotes
            : string.Empty;
        _quote = quotes.Length == 0 ? string.Empty : quotes.Substring(0, 1);
        if (quotes.Length > 0)
        {
            Text = Text.Trim(quotes.ToCharArray());
        }

        _pattern = WildcardPattern.ContainsWildcardCharacters(Text) ? WildcardPattern.Get($"{Text}*", WildcardOptions.IgnoreCase) : null;
    }

    /// <summary>The word without its quotes.</summary>
    public string Text { get; }

    /// <summary>Whether a value begins with the word, or with what its wildcards mean; case does not matter.</summary>
    public bool Begins(string value) => value.StartsWith(Text, StringComparison.OrdinalIgnoreCase) || (_pattern?.IsMatch(value) ?? false);

    /// <summary>A value to put in the word's place, in the word's quotes. No name and no digest needs any of its own.</summary>
    public CompletionResult Offer(string value, string listItem, string toolTip) =>
        new($"{_quote}{value}{_quote}", listItem, CompletionResultType.ParameterValue, toolTip);
}
