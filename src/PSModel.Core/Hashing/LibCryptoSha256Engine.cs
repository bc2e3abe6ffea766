using System.Runtime.InteropServices;

namespace PSModel.Core.Hashing;

/// <summary>
/// OpenSSL 3's <c>SHA256_Update</c> over a <c>SHA256_CTX</c> of ours, whose words are the state. It uses the processor's
/// SHA instructions where there are some.
/// </summary>
internal sealed unsafe class LibCryptoSha256Engine : Sha256Engine
{
    private const string Library = "libcrypto.so.3";

    public override string Name => "libcrypto";

    public override void Compress(uint[] words, ReadOnlySpan<byte> blocks)
    {
        // num stays 0, so the library compresses whole blocks and buffers nothing.
        Context context = default;
        for (int i = 0; i < 8; i++)
        {
            context.Words[i] = words[i];
        }

        fixed (byte* data = blocks)
        {
            _ = Update(&context, data, (nuint)blocks.Length);
        }

        for (int i = 0; i < 8; i++)
        {
            words[i] = context.Words[i];
        }
    }

    [DllImport(Library, EntryPoint = "SHA256_Update", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Update(Context* context, byte* data, nuint length);

    /// <summary><c>SHA256_CTX</c> of <c>openssl/sha.h</c>: 112 bytes.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Context
    {
        public fixed uint Words[8];
        public uint LengthLow;
        public uint LengthHigh;
        public fixed uint Data[16];
        public uint Number;
        public uint DigestLength;
    }
}
