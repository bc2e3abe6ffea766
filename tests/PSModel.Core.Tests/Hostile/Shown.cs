using System.Globalization;
using PSModel.Core.Faults;

namespace PSModel.Core.Tests.Hostile;

/// <summary>What holds for everything that users are shown.</summary>
internal static class Shown
{
    /// <summary>Text that a test gives to a registry, and that no message may hold as it is: escape sequences, C1 controls, line
    /// breaks, a reversal of direction, a space without width.</summary>
    public const string Hostile = "\u001b[31mred\u001b]0;title\u0007\u009b2J\r\nerror: all is well\u2028\u202egnp.exe\u200b\u007f";

    /// <summary>The most characters from outside, and those of our own around them.</summary>
    private const int Longest = 500 + 300;

    public const string Secret = "s3cret";

    /// <summary>Requires that a text is on one line, has no characters that a terminal obeys, and no secret.</summary>
    public static void IsPlain(string? text)
    {
        for (int i = 0; i < text?.Length; i++)
        {
            UnicodeCategory category = CharUnicodeInfo.GetUnicodeCategory(text, i);
            Assert.False(
                category is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator,
                $"U+{(int)text[i]:X4} at {i} of {text}");
        }

        Assert.DoesNotContain(Secret, text ?? string.Empty, StringComparison.Ordinal);
    }

    /// <summary>Requires that of everything which a fault shows, and that its message is not too long.</summary>
    public static void IsPlain(ModelFaultException fault)
    {
        IsPlain(fault.Message);
        Assert.InRange(fault.Message.Length, 1, Longest);
        IsPlain(fault.Facts.Name);
        IsPlain(fault.Facts.Digest);
        IsPlain(fault.Facts.Uri);
    }
}
