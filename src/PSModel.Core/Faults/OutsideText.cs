using System.Globalization;
using System.Text;

namespace PSModel.Core.Faults;

/// <summary>
/// Makes text from outside fit to be shown: without control characters, short, without user information and queries. Whatever a
/// registry, a manifest, a file or another program wrote passes through here on its way into a message. Stateless and
/// thread-safe.
/// </summary>
public static class OutsideText
{
    /// <summary>The most characters of one piece. A message has three at most, of which one is shorter, so 500 in all.</summary>
    public const int Longest = 200;

    private const UriComponents Shown = UriComponents.Scheme | UriComponents.Host | UriComponents.Port | UriComponents.Path;
    private const string Schemes = "://";
    private const string Pinned = "sha256:";
    private const char Ellipsis = '…';
    private const char Replacement = '\uFFFD';

    /// <summary>A piece of a message.</summary>
    /// <param name="text">Any text; addresses in it are found by themselves.</param>
    /// <param name="longest">Cut to so many characters.</param>
    public static string Of(string? text, int longest = Longest)
    {
        string whole = text ?? string.Empty;
        StringBuilder shown = new();
        for (int begin = 0, end; begin < whole.Length && shown.Length <= longest; begin = end + 1)
        {
            for (end = begin; end < whole.Length && !IsBetweenWords(whole[end]);)
            {
                end++;
            }

            shown.Append(WithoutSecrets(whole.Substring(begin, end - begin)));
            shown.Append(whole, end, end < whole.Length ? 1 : 0);
        }

        return Cut(OneLine(shown.ToString()), longest);
    }

    /// <summary>An address without its user information, query and fragment.</summary>
    public static string Of(Uri address) => Cut(OneLine(Whole(address)), Longest);

    /// <summary>What a user gave as a name or an address, all of it one word, whatever a password in it consists of.</summary>
    public static string Typed(string? text) => OneLine(WithoutSecrets(text ?? string.Empty));

    /// <summary>Whether what was given as a name or an address has a user's name or a password in it.</summary>
    public static bool HasUserInformation(string text) => EndOfUserInformation(text, StartOfHost(text)) >= 0;

    /// <summary>A message on one line, without characters that a terminal obeys. Nothing else is changed.</summary>
    public static string OneLine(string? text)
    {
        if (text is null || IsPlain(text))
        {
            return text ?? string.Empty;
        }

        StringBuilder line = new(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            bool isPair = char.IsSurrogatePair(text, i);
            switch (CharUnicodeInfo.GetUnicodeCategory(text, i))
            {
                case UnicodeCategory.Control or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator:
                    // A line break is a space, and an escape sequence one with harmless letters behind it.
                    line.Append(' ');
                    break;
                case UnicodeCategory.Surrogate:
                    line.Append(Replacement);
                    break;
                case not UnicodeCategory.Format:
                    line.Append(text, i, isPair ? 2 : 1);
                    break;
            }

            i += isPair ? 1 : 0;
        }

        return line.ToString();
    }

    /// <summary>Whether there are letters, digits and signs of ASCII alone, as nearly always.</summary>
    private static bool IsPlain(string text)
    {
        foreach (char letter in text)
        {
            if (letter is < ' ' or > '~')
            {
                return false;
            }
        }

        return true;
    }

    private static string Whole(Uri address) =>
        !address.IsAbsoluteUri ? WithoutSecrets(address.OriginalString)
        : address.Scheme is "https" or "http" ? address.GetComponents(Shown, UriFormat.UriEscaped)
        : $"{address.Scheme}:{Ellipsis}";

    private static string WithoutSecrets(string word)
    {
        int start = StartOfHost(word);
        int at = EndOfUserInformation(word, start);
        string shown = at < 0 ? word : $"{word.Substring(0, start)}{Ellipsis}{word.Substring(at)}";
        int query = start > 0 ? shown.IndexOfAny(['?', '#']) : -1;
        return query < 0 ? shown : $"{shown.Substring(0, query)}{Ellipsis}";
    }

    /// <summary>Behind the scheme; 0 where there is none.</summary>
    private static int StartOfHost(string word)
    {
        int scheme = word.IndexOf(Schemes, StringComparison.Ordinal);
        return scheme >= 0 ? scheme + Schemes.Length : word.StartsWith("//", StringComparison.Ordinal) ? 2 : 0;
    }

    /// <summary>The last @ that pins no digest, since a password may hold any character. Without a scheme an @ may be anything,
    /// and a colon before it, or a slash behind it, makes it what it is in an address.</summary>
    private static int EndOfUserInformation(string word, int start)
    {
        int at = word.LastIndexOf('@');
        if (at >= 0 && string.CompareOrdinal(word, at + 1, Pinned, 0, Pinned.Length) == 0)
        {
            at = at == 0 ? -1 : word.LastIndexOf('@', at - 1);
        }

        bool isOne = at >= start && (start > 0 || word.IndexOf('/', at) >= 0 || word.LastIndexOf(':', at) >= 0);
        return isOne ? at : -1;
    }

    private static bool IsBetweenWords(char letter) => char.IsWhiteSpace(letter) || char.IsControl(letter) || letter is '"' or '\'' or '<' or '>';

    private static string Cut(string text, int longest)
    {
        if (text.Length <= longest)
        {
            return text;
        }

        int end = longest - 1;
        return $"{text.Substring(0, char.IsHighSurrogate(text[end - 1]) ? end - 1 : end)}{Ellipsis}";
    }
}
