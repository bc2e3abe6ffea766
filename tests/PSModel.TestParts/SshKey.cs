using System.Diagnostics;
using System.Globalization;

namespace PSModel.TestParts;

/// <summary>A key of <c>ssh-keygen</c>'s where Ollama keeps its user's, whose signatures OpenSSL verifies. Thread-safe.</summary>
public sealed class SshKey : IDisposable
{
    /// <summary>What comes before the 32 bytes of an Ed25519 key where a public key is told (RFC 8410).</summary>
    private static readonly byte[] Prefix = [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00];

    private readonly TemporaryFolder _folder = new();

    private SshKey()
    {
    }

    /// <summary>The user's folder that has it.</summary>
    public string Home => _folder.Path;

    /// <summary>The private key's file.</summary>
    public string Path => System.IO.Path.Combine(Home, ".ollama", "id_ed25519");

    /// <summary>The public key as the file <c>.pub</c> has it.</summary>
    public string PublicText => File.ReadAllText($"{Path}.pub").Split(' ')[1];

    /// <summary>The lines of the private key, which are nobody's.</summary>
    public IEnumerable<string> PrivateLines => File.ReadAllLines(Path).Where(line => line.Length > 0 && !line.StartsWith('-'));

    /// <summary>Makes one.</summary>
    public static async Task<SshKey> MakeAsync(string comment = "", string passphrase = "", string type = "ed25519")
    {
        SshKey key = new();
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(key.Path)!);
        await ChildProcess.RunAsync("ssh-keygen", "-q", "-t", type, "-N", passphrase, "-C", comment, "-f", key.Path);
        return key;
    }

    /// <summary>Whether a header is this key, and its signature under a text.</summary>
    public bool Verify(string? header, string text)
    {
        string[] parts = (header ?? string.Empty).Split(':');
        if (parts.Length != 2 || parts[0] != PublicText)
        {
            return false;
        }

        using TemporaryFolder folder = new();
        string pem = System.IO.Path.Combine(folder.Path, "key.pem");
        string signature = System.IO.Path.Combine(folder.Path, "signature");
        string signed = System.IO.Path.Combine(folder.Path, "signed");
        byte[] blob = Convert.FromBase64String(parts[0]);
        File.WriteAllText(pem, $"-----BEGIN PUBLIC KEY-----\n{Convert.ToBase64String([.. Prefix, .. blob[^32..]])}\n-----END PUBLIC KEY-----\n");
        File.WriteAllBytes(signature, Convert.FromBase64String(parts[1]));
        File.WriteAllText(signed, text);
        ProcessStartInfo start = new("openssl", ["pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", pem, "-sigfile", signature, "-in", signed]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process openssl = Process.Start(start)!;
        openssl.WaitForExit();
        return openssl.ExitCode == 0;
    }

    /// <summary>Whether an address and a header are what Ollama's token service expects: signed by this key, just now.</summary>
    public bool IsAsked(Uri address, string? header)
    {
        const string NoBody = "ZTNiMGM0NDI5OGZjMWMxNDlhZmJmNGM4OTk2ZmI5MjQyN2FlNDFlNDY0OWI5MzRjYTQ5NTk5MWI3ODUyYjg1NQ==";
        System.Collections.Specialized.NameValueCollection query = System.Web.HttpUtility.ParseQueryString(address.Query);
        return long.TryParse(query["ts"], NumberStyles.None, CultureInfo.InvariantCulture, out long time)
            && Math.Abs(DateTimeOffset.UtcNow.ToUnixTimeSeconds() - time) < 120
            && query["nonce"] is { Length: 22 } nonce
            && nonce.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')
            && Verify(header, $"GET,{address.AbsoluteUri},{NoBody}");
    }

    public void Dispose() => _folder.Dispose();
}
