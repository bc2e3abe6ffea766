using System.Globalization;
using System.Text;
using CsCheck;
using PSModel.Core.Faults;

namespace PSModel.Core.Tests.Hostile;

/// <summary>Made-up input, and what must hold whatever it is.</summary>
internal static class Fuzz
{
    /// <summary>Anything that is hard to read: ends of ranges, other signs than ours, parts of what is meant.</summary>
    private static readonly string[] Nasty =
    [
        string.Empty, " ", "\t", "\r", "\n", "\0", "\u001b[31m", "\u009b2J", "\u007f", "\u202e", "\u200b", "\ufeff", "\ud800", "\udc00", "\U0001F600", "\U000E0041",
        "a", "A", "_", "-", ".", "..", "/", "//", "\\", ":", "://", "@", "?", "#", "%", "%00", "%2e%2e", "%zz", "[", "]", "[::1]", "\"", "'", "<", ">", "|", "*", "~",
        "http", "https", "file", "ftp", "http://", "https://", "127.0.0.1", "localhost", "0", "1", "-1", "65536", "2147483648", "9223372036854775807",
        "9223372036854775808", "1e999", "NaN", "null", "true", "[]", "{}", "sha256:", "sha256-", "sha512:", "library", "demo", "latest", "CON", "nul", "é", "ß", "İ", "\u0130",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    ];

    private static readonly string[] Numbers =
    [
        "0", "1", "-1", "-0", "2", "1.5", "1e3", "1e999", "1048575", "1048576", "1048577", "2147483647", "2147483648", "-2147483648", "134217727", "134217728", "268435456",
        "4611686018427387904", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "null", "true", "\"\"", "\"1\"", "[]", "{}",
    ];

    /// <summary>Cases of each property; what failed once stands in tests of its own.</summary>
    public static int Cases { get; } = int.Parse(Environment.GetEnvironmentVariable("HOSTILE_CASES") ?? "50", CultureInfo.InvariantCulture);

    /// <summary>A text of up to ten nasty pieces, seldom a long one.</summary>
    public static Gen<string> Text { get; } = Gen.Frequency(
        (20, Gen.Int[0, Nasty.Length - 1].Array[0, 10].Select(pieces => string.Concat(pieces.Select(piece => Nasty[piece])))),
        (5, Gen.String[0, 20]),
        (1, Gen.Int[0, Nasty.Length - 1].Select(piece => string.Concat(Enumerable.Repeat(Nasty[piece], 5_000)))));

    /// <summary>What JSON may have in place of a number.</summary>
    public static Gen<string> Number { get; } = Gen.OneOf(Gen.Int[0, Numbers.Length - 1].Select(i => Numbers[i]), Gen.Long.Select(n => n.ToString(CultureInfo.InvariantCulture)));

    /// <summary>One of these.</summary>
    public static Gen<string> OneOf(params string[] choices) => Gen.Int[0, choices.Length - 1].Select(i => choices[i]);

    /// <summary>The bytes with a few of them changed, cut out, doubled, or replaced by something nasty.</summary>
    public static Gen<byte[]> Damaged(byte[] bytes) =>
        Gen.Select(Gen.Int[0, 4], Gen.Double.Unit, Gen.Double.Unit, Text).Array[1, 4].Select(steps =>
        {
            List<byte> damaged = [.. bytes];
            foreach ((int kind, double from, double length, string text) in steps)
            {
                int start = (int)(from * damaged.Count);
                int count = (int)(length * Math.Min(40, damaged.Count - start));
                switch (kind)
                {
                    case 0 when start < damaged.Count:
                        damaged[start] ^= (byte)(1 << (count % 8));
                        break;
                    case 1:
                        damaged.RemoveRange(start, count);
                        break;
                    case 2:
                        damaged.InsertRange(start, damaged.GetRange(start, count));
                        break;
                    case 3:
                        damaged.InsertRange(start, Encoding.UTF8.GetBytes(text));
                        break;
                    default:
                        damaged.RemoveRange(start, count);
                        damaged.InsertRange(start, Encoding.Latin1.GetBytes(text));
                        break;
                }
            }

            return damaged.ToArray();
        });

    /// <summary>Runs what is given hostile input: it succeeds, or tells of a fault in fit words.</summary>
    /// <returns>The fault, if there was one.</returns>
    public static ModelFaultException? Try(Action step)
    {
        try
        {
            step();
            return null;
        }
        catch (ModelFaultException fault)
        {
            Shown.IsPlain(fault);
            return fault;
        }
    }

    /// <summary>A case as a test can repeat it.</summary>
    public static string Print(string text) => System.Text.Json.JsonSerializer.Serialize(text.Length <= 400 ? text : text[..400]);

    /// <summary>A case as a test can repeat it.</summary>
    public static string Print(byte[] bytes) => Print(Encoding.Latin1.GetString(bytes));
}
