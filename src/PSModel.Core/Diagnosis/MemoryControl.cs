using PSModel.Core.Blocks;
using PSModel.Core.Hashing;

namespace PSModel.Core.Diagnosis;

/// <summary>
/// The control of a diagnosis: the same bytes in memory, hashed over and over on all processors. Where the hashes differ, no
/// disk is to blame. Run once for a whole call. Thread-safe.
/// </summary>
public sealed class MemoryControl
{
    private const int BufferSize = 32 * 1024 * 1024;
    private const int Rounds = 3;
    private const int MostWorkers = 8;

    private readonly Lazy<Task<bool>> _run = new(() => Task.Run(Run));

    /// <summary>Whether every hash was the same; the first call makes them.</summary>
    public Task<bool> IsStableAsync() => _run.Value;

    private static bool Run()
    {
        byte[] buffer = new byte[BufferSize];
        new Random(0).NextBytes(buffer);
        int workers = Math.Min(Environment.ProcessorCount, MostWorkers);
        (string Sha, BlockChecksum Checksum)[] results = new (string, BlockChecksum)[workers * Rounds];
        Parallel.For(0, results.Length, new ParallelOptions { MaxDegreeOfParallelism = workers }, i => results[i] = HashOf(buffer));
        return results.Distinct().Count() == 1;
    }

    private static (string Sha, BlockChecksum Checksum) HashOf(byte[] buffer)
    {
        Sha256 sha = new();
        for (int at = 0; at < buffer.Length; at += BlockLayout.BlockSize)
        {
            sha.Append(buffer.AsSpan(at, BlockLayout.BlockSize));
        }

        return (Convert.ToBase64String(sha.ComputeHash()), BlockChecksum.Of(buffer));
    }
}
