using System.Runtime.InteropServices;

namespace PSModel.Core.Hashing;

/// <summary>macOS' <c>CC_SHA256_Update</c> over a <c>CC_SHA256_CTX</c> of ours, whose words are the state.</summary>
internal sealed unsafe class CommonCryptoSha256Engine : Sha256Engine
{
    private const string Library = "libSystem.dylib";

    public override string Name => "CommonCrypto";

    public override void Compress(uint[] words, ReadOnlySpan<byte> blocks)
    {
        // A count of 0 means an empty buffer: the library compresses whole blocks and keeps nothing back.
        Context context = default;
        for (int i = 0; i < 8; i++)
        {
            context.Words[i] = words[i];
        }

        fixed (byte* data = blocks)
        {
            _ = Update(&context, data, (uint)blocks.Length);
        }

        for (int i = 0; i < 8; i++)
        {
            words[i] = context.Words[i];
        }
    }

    [DllImport(Library, EntryPoint = "CC_SHA256_Update", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Update(Context* context, byte* data, uint length);

    /// <summary><c>CC_SHA256_CTX</c> of <c>CommonCrypto/CommonDigest.h</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Context
    {
        public fixed uint Count[2];
        public fixed uint Words[8];
        public fixed uint Buffer[16];
    }
}
