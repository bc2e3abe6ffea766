using System.Diagnostics;
using System.IO.Hashing;
using System.Security.Cryptography;
using PSModel.Core.Hashing;

namespace PSModel.Benchmarks.Scenarios;

/// <summary>The engines of SHA-256 side by side, and the checksum of the block map, over buffers as a transfer has them.</summary>
internal static class HashBenchmark
{
    private const int BufferSize = 512 * 1024;
    private const int Buffers = 256;

    /// <summary>Prints each one's speed, with that of libcrypto as 1.</summary>
    public static void Run(int rounds)
    {
        byte[] buffer = new byte[BufferSize];
        new Random(1).NextBytes(buffer);
        Dictionary<string, Action> contenders = Sha256Engine.Available.ToDictionary(engine => engine.Name, engine => (Action)(() =>
        {
            Sha256 sha = new(engine);
            Repeat(() => sha.Append(buffer));
        }));
        contenders["IncrementalHash"] = () =>
        {
            using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            Repeat(() => hash.AppendData(buffer));
        };
        contenders["XXH3 128"] = () =>
        {
            XxHash128 hash = new();
            Repeat(() => hash.Append(buffer));
        };

        Dictionary<string, List<double>> seconds = contenders.Keys.ToDictionary(name => name, _ => new List<double>());
        for (int round = 0; round <= rounds; round++)
        {
            foreach ((string name, Action run) in contenders)
            {
                long before = Stopwatch.GetTimestamp();
                run();
                if (round > 0)
                {
                    seconds[name].Add(Stopwatch.GetElapsedTime(before).TotalSeconds);
                }
            }
        }

        Dictionary<string, double> medians = seconds.ToDictionary(pair => pair.Key, pair => pair.Value.Order().ElementAt(pair.Value.Count / 2));
        double yardstick = medians.GetValueOrDefault("libcrypto", medians["IncrementalHash"]);
        foreach ((string name, double median) in medians)
        {
            Console.WriteLine($"| {name} | {BufferSize * (double)Buffers / median / 1e9:0.00} GB/s | {yardstick / median:0.00} |");
        }
    }

    private static void Repeat(Action take)
    {
        for (int i = 0; i < Buffers; i++)
        {
            take();
        }
    }
}
