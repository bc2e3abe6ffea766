using System.Text;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Crypto.Signers;
using Org.BouncyCastle.Crypto.Utilities;

namespace PSModel.Core.Authentication;

/// <summary>The Ed25519 key by which Ollama names its user. Immutable. It has no text, and only signatures leave it. Nothing else
/// touches the library that signs, which is large and so is loaded where a key is used alone.</summary>
/// <remarks>.NET itself has no Ed25519.</remarks>
internal sealed class OllamaKey
{
    private readonly Ed25519PrivateKeyParameters _key;

    private OllamaKey(Ed25519PrivateKeyParameters key) => _key = key;

    /// <summary>The public half, as the second word of the file <c>.pub</c> has it.</summary>
    public string PublicText => Convert.ToBase64String(OpenSshPublicKeyUtilities.EncodePublicKey(_key.GeneratePublicKey()));

    /// <summary>Reads a private key in OpenSSH's form, not encrypted.</summary>
    /// <param name="blob">The bytes within the lines that begin and end it.</param>
    /// <exception cref="InvalidDataException">It is something else.</exception>
    public static OllamaKey Read(byte[] blob)
    {
        try
        {
            return OpenSshPrivateKeyUtilities.ParsePrivateKeyBlob(blob) is Ed25519PrivateKeyParameters key ? new OllamaKey(key) : throw new InvalidDataException("it is a key of another kind than Ed25519");
        }
        catch (Exception e) when (e is not (InvalidDataException or OutOfMemoryException))
        {
            // The library raises what its readers happen to raise, and what it says may hold a part of the key.
            throw new InvalidDataException("it is damaged");
        }
    }

    /// <summary>The header by which Ollama shows who asks: the public key, and its signature under a text.</summary>
    public string HeaderFor(string text)
    {
        byte[] signed = Encoding.UTF8.GetBytes(text);
        Ed25519Signer signer = new();
        signer.Init(forSigning: true, _key);
        signer.BlockUpdate(signed, 0, signed.Length);
        return $"{PublicText}:{Convert.ToBase64String(signer.GenerateSignature())}";
    }
}
