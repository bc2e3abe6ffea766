using PSModel.Core.Faults;

namespace PSModel.Core.Names;

/// <summary>A digest, or the beginning of one as tables show it: with or without <c>sha256:</c>, from four digits on. Immutable.</summary>
public sealed class BlobDigestPart
{
    private const string Prefix = "sha256:";
    private const int Fewest = 4;
    private const int Most = 64;

    private readonly string _text;
    private readonly string _start;

    private BlobDigestPart(string text, string start)
    {
        _text = text;
        _start = start;
    }

    /// <summary>Reads a digest or its beginning.</summary>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.InvalidDigest"/>.</exception>
    public static BlobDigestPart Parse(string? text)
    {
        string digits = text is not null && text.StartsWith(Prefix, StringComparison.Ordinal) ? text.Substring(Prefix.Length) : text ?? string.Empty;
        return digits.Length is >= Fewest and <= Most && digits.All(c => c is (>= '0' and <= '9') or (>= 'a' and <= 'f'))
            ? new BlobDigestPart(text!, Prefix + digits)
            : throw new ModelFaultException(
                ModelFault.InvalidDigest,
                $"'{OutsideText.Of(text)}' is not a digest. A digest is 'sha256:' and 64 lowercase hexadecimal digits, or the first of them, four at least.",
                new FaultFacts { Digest = OutsideText.Of(text) });
    }

    /// <summary>Whether a digest begins so.</summary>
    public bool IsOf(BlobDigest digest) => digest.ToString().StartsWith(_start, StringComparison.Ordinal);

    /// <summary>As it was given.</summary>
    public override string ToString() => _text;
}
