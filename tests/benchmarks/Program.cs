using System.Globalization;
using PSModel.Benchmarks;

if (args is ["-h" or "--help"])
{
    Console.WriteLine("""
        Compares PSModel with what else fetches and verifies a file, side by side, and prints medians and ratios.

          --folder PATH   where everything is written; the default is /dev/shm, so that the disk is not what is measured
          --rounds N      how often each is run, in turn with the others (5)
          --mib N         the size of the blob (2048)
          --only NAME     one scenario: nginx, docker-registry, throttled, cutting, memory, resume, test, hash, import
                          or completion

        Needs curl, openssl, time, and for their rows nginx, docker-registry, aria2c, skopeo and pwsh.
        """);
    return 0;
}

BenchmarkOptions options = new(
    Folder: Value("--folder") ?? (Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath()),
    Rounds: int.Parse(Value("--rounds") ?? "5", CultureInfo.InvariantCulture),
    Size: long.Parse(Value("--mib") ?? "2048", CultureInfo.InvariantCulture) * 1024 * 1024,
    Only: Value("--only"));
await new Benchmark(options).RunAsync();
return 0;

string? Value(string option)
{
    int at = Array.IndexOf(args, option);
    return at >= 0 && at + 1 < args.Length ? args[at + 1] : null;
}
