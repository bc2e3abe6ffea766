using System.Diagnostics;
using System.Runtime.InteropServices;
using PSModel.Core.Names;

namespace PSModel.Core.Hashing;

/// <summary>The compression function of SHA-256 in one of its implementations. Engines are stateless and thread-safe.</summary>
internal abstract class Sha256Engine
{
    /// <summary>What <c>sha256sum</c> says of the 1,500 bytes 7 · i modulo 256.</summary>
    private const string KnownAnswer = "sha256:b5811a6d9a2e1ebb62a6ba35355a96eb93c0278966b2cc0990aa240c138ec150";

    private static readonly Lazy<Sha256Engine> Choice = new(Choose);

    private static readonly Lazy<Sha256Engine> FirstRight = new(() => Available.First(IsRight));

    /// <summary>The fastest engine that this machine has.</summary>
    public static Sha256Engine Best => Choice.Value;

    /// <summary>An engine for a few bytes, a manifest's for instance, for which the race would take longer than it saves.</summary>
    public static Sha256Engine Ready => FirstRight.Value;

    /// <summary>The engines that this machine may be able to run.</summary>
    public static IEnumerable<Sha256Engine> Available => SystemLibraries.Concat(Managed);

    /// <summary>What a verbose message calls it.</summary>
    public abstract string Name { get; }

    /// <summary>Takes whole blocks of 64 bytes into the eight words.</summary>
    public abstract void Compress(uint[] words, ReadOnlySpan<byte> blocks);

    private static IEnumerable<Sha256Engine> SystemLibraries
    {
        get
        {
            if (RuntimeInformation.IsOSPlatform(OSPlatform.Linux))
            {
                yield return new LibCryptoSha256Engine();
            }

            if (RuntimeInformation.IsOSPlatform(OSPlatform.OSX))
            {
                yield return new CommonCryptoSha256Engine();
            }
        }
    }

    /// <summary>The fastest first, on whatever processor.</summary>
    private static IEnumerable<Sha256Engine> Managed
    {
        get
        {
#if NET
            if (Avx512Sha256Engine.IsSupported)
            {
                yield return new Avx512Sha256Engine();
            }

            if (Avx2Sha256Engine.IsSupported)
            {
                yield return new Avx2Sha256Engine();
            }

            if (ArmSha256Engine.IsSupported)
            {
                yield return new ArmSha256Engine();
            }
#endif
            yield return new ScalarSha256Engine();
        }
    }

    /// <summary>Whether a library or C# is faster depends on the processor and on the version of the library.</summary>
    private static Sha256Engine Choose()
    {
        Stopwatch clock = Stopwatch.StartNew();
        return EngineRace.Run(SystemLibraries.Where(IsRight).Concat(Managed.Where(IsRight).Take(1)), () => clock.Elapsed);
    }

    /// <summary>A system library may be missing, or not what its name says: no engine is used unseen.</summary>
    private static bool IsRight(Sha256Engine engine)
    {
        byte[] message = new byte[1500];
        for (int i = 0; i < message.Length; i++)
        {
            message[i] = (byte)(i * 7);
        }

        try
        {
            Sha256 candidate = new(engine);
            candidate.Append(message);
            return BlobDigest.FromHash(candidate.ComputeHash()).ToString() == KnownAnswer;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException or BadImageFormatException)
        {
            return false;
        }
    }
}
