using System.Text;

namespace PSModel.Core.Authentication;

/// <summary>Where Ollama keeps its user's key, <c>~/.ollama/id_ed25519</c>. Immutable and thread-safe; the file is read each time, so
/// that no key stays in memory.</summary>
/// <param name="home">The user's folder; empty where he has none.</param>
/// <param name="tell">Told why no key is used; nothing of its content.</param>
internal sealed class OllamaKeyFile(string home, Action<string> tell)
{
    private const string Begin = "-----BEGIN OPENSSH PRIVATE KEY-----";
    private const string End = "-----END OPENSSH PRIVATE KEY-----";

    /// <summary>A key has some hundred bytes.</summary>
    private const int MaximumBytes = 16 * 1024;

    /// <summary>With which the bytes of OpenSSH's form begin, before the name of their cipher.</summary>
    private static readonly byte[] Magic = Encoding.ASCII.GetBytes("openssh-key-v1\0");

    private static readonly byte[] Unencrypted = [0, 0, 0, 4, .. Encoding.ASCII.GetBytes("none")];

    /// <summary>The file's path.</summary>
    public string Path { get; } = System.IO.Path.Combine(home, ".ollama", "id_ed25519");

    /// <summary>Reads the key.</summary>
    /// <param name="problem">What keeps it from being used.</param>
    /// <returns><see langword="null"/> where there is none that can be used.</returns>
    public OllamaKey? TryRead(out KeyProblem? problem)
    {
        OllamaKey? key = null;
        try
        {
            byte[] blob = ReadBlob();
            bool isPlain = Has(blob, Magic.Length, Unencrypted);
            key = isPlain ? OllamaKey.Read(blob) : null;
            problem = isPlain ? null : new KeyProblem(IsMissing: false, $"the key of Ollama, '{Path}', is protected by a passphrase", $"'ssh-keygen -p -f \"{Path}\"' takes the passphrase off, where the new one is left empty: Ollama's keys have none.");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            problem = new KeyProblem(IsMissing: true, $"there is no key of Ollama, '{Path}'", $"Start Ollama once, which makes the key, and add its public half, '{Path}.pub', to your account there.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problem = new KeyProblem(IsMissing: false, $"the key of Ollama, '{Path}', cannot be read ({e.Message.TrimEnd('.')})", "Check the file's permissions.");
        }
        catch (InvalidDataException e)
        {
            problem = new KeyProblem(
                IsMissing: false,
                $"the key of Ollama, '{Path}', cannot be used: {e.Message}",
                "Put back the key that Ollama made there, an Ed25519 key in OpenSSH's form. Where it is lost, move the file away, start Ollama, which makes a new one, and add its public half to your account there.");
        }

        if (problem is not null)
        {
            tell($"Nothing is signed: {problem.What}.");
        }

        return key;
    }

    private byte[] ReadBlob()
    {
        string text = home.Length > 0 ? Encoding.ASCII.GetString(ReadBytes()).Trim() : throw new FileNotFoundException();
        if (text.Length < Begin.Length + End.Length || !text.StartsWith(Begin, StringComparison.Ordinal) || !text.EndsWith(End, StringComparison.Ordinal))
        {
            throw NoKey();
        }

        try
        {
            byte[] blob = Convert.FromBase64String(text.Substring(Begin.Length, text.Length - Begin.Length - End.Length));
            return Has(blob, 0, Magic) ? blob : throw NoKey();
        }
        catch (FormatException)
        {
            throw new InvalidDataException("it is damaged");
        }

        static InvalidDataException NoKey() => new("it is no private key in OpenSSH's form");
    }

    /// <summary>What is no plain file, a pipe for instance, has no length, and would keep its reader waiting.</summary>
    private byte[] ReadBytes()
    {
        long length = new FileInfo(Path).Length;
        if (length is 0 or > MaximumBytes)
        {
            throw new InvalidDataException(length == 0 ? "it is empty" : "it is too large to be one");
        }

        byte[] bytes = new byte[length];
        using FileStream file = new(Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        int read = 0;
        for (int more = -1; more != 0 && read < bytes.Length; read += more)
        {
            more = file.Read(bytes, read, bytes.Length - read);
        }

        Array.Resize(ref bytes, read);
        return bytes;
    }

    private static bool Has(byte[] bytes, int at, byte[] part) => bytes.Skip(at).Take(part.Length).SequenceEqual(part);
}
