using System.Diagnostics.CodeAnalysis;
using PSModel.Core.Faults;
using PSModel.Core.Hashing;

namespace PSModel.Core.Names;

/// <summary>The SHA-256 that names a blob. Immutable; equal when the hash is.</summary>
public sealed record BlobDigest
{
    private const string Algorithm = "sha256";
    private const int HexLength = 64;
    private const string HexDigits = "0123456789abcdef";

    private readonly string _hex;

    // Each is asked for some ten times for a blob, of which there are thousands.
    private string? _fileName;
    private string? _text;

    private BlobDigest(string hex) => _hex = hex;

    /// <summary>The name of the blob's file in the store: <c>sha256-</c> and 64 lowercase hexadecimal digits.</summary>
    public string FileName => _fileName ??= $"{Algorithm}-{_hex}";

    /// <summary>Makes the digest of a hash of 32 bytes.</summary>
    public static BlobDigest FromHash(byte[] hash)
    {
        char[] hex = new char[HexLength];
        for (int i = 0; i < hash.Length; i++)
        {
            hex[2 * i] = HexDigits[hash[i] >> 4];
            hex[(2 * i) + 1] = HexDigits[hash[i] & 0xF];
        }

        return new BlobDigest(new string(hex));
    }

    /// <summary>The digest of bytes that are all here.</summary>
    internal static BlobDigest Of(ReadOnlySpan<byte> bytes) => FromHash(Sha256.HashOf(bytes));

    /// <summary>Reads <c>sha256:</c> and 64 lowercase hexadecimal digits.</summary>
    /// <exception cref="ModelFaultException"><see cref="ModelFault.InvalidDigest"/>.</exception>
    public static BlobDigest Parse(string? text) =>
        TryParse(text, out BlobDigest? digest)
            ? digest
            : throw new ModelFaultException(
                ModelFault.InvalidDigest,
                $"'{OutsideText.Of(text)}' is not a digest. A digest is 'sha256:' and 64 lowercase hexadecimal digits.",
                new FaultFacts { Digest = OutsideText.Of(text) });

    /// <summary>Reads <c>sha256:</c> and 64 lowercase hexadecimal digits, nothing else.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out BlobDigest? digest) => TryParse(text, ':', out digest);

    /// <summary>Reads a blob's file name, <c>sha256-</c> and 64 lowercase hexadecimal digits, nothing else.</summary>
    public static bool TryParseFileName(string? text, [NotNullWhen(true)] out BlobDigest? digest) => TryParse(text, '-', out digest);

    /// <summary>The digest as manifests write it: <c>sha256:</c> and 64 lowercase hexadecimal digits.</summary>
    public override string ToString() => _text ??= $"{Algorithm}:{_hex}";

    /// <summary>Whether the hashes are equal.</summary>
    public bool Equals(BlobDigest? other) => other is not null && _hex == other._hex;

    /// <summary>A hash code of the digest.</summary>
    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(_hex);

    private static bool TryParse(string? text, char separator, [NotNullWhen(true)] out BlobDigest? digest)
    {
        digest = null;
        string prefix = Algorithm + separator;
        if (text is null || text.Length != prefix.Length + HexLength || !text.StartsWith(prefix, StringComparison.Ordinal))
        {
            return false;
        }

        string hex = text.Substring(prefix.Length);
        foreach (char c in hex)
        {
            if (HexDigits.IndexOf(c) < 0)
            {
                return false;
            }
        }

        digest = new BlobDigest(hex);
        return true;
    }
}
