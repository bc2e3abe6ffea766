using System.Globalization;
using PSModel.Benchmarks;

if (args is ["-h" or "--help"])
{
    Console.WriteLine("""
        Compares PSModel with what else fetches and verifies a file, and with itself, side by side in interleaved rounds,
        and prints medians. Each bound is a line "row: WHAT = FIGURE (at most BOUND)"; those missed are repeated at the end.

          --folder PATH   where everything is written; the default is /dev/shm, so that the disk is not what is measured
          --disk PATH     a folder on a real disk, for disk, many and many-fast (the system's folder for temporary files)
          --rounds N      how often each contender is run, in turn with the others (5)
          --mib N         the size of the blob, for scenarios of one large blob; each has its own default
          --only NAMES    some scenarios, with commas between them
          --quick         each scenario once and small, to see that it runs
          --before PSD1   an earlier build's PSModel.psd1, measured beside this one in nginx, docker-registry and tls

        From nginx, against other programs; the bound is the larger of curl -o, openssl dgst, and what server, hash and
        receiving take of the processor, packed perfectly on all cores:
          nginx, docker-registry (that one from docker-registry), tls
          disk            onto a disk, against curl -o and sync
          publish         to docker-registry, against openssl dgst and skopeo copy from a layout
          fleet           a hundred machines by the sample's script; bytes over the uplink, and those that come twice after a kill
          many-fast       2,000 blobs of 64 KiB onto a disk, against skopeo, and against one blob of the same total
          two             two blobs of 1 GiB without SHA instructions, against one of them
        From the registry on loopback, against PSModel itself:
          many            2,000 blobs of 64 KiB onto a disk, 30 ms before each first byte, 8 connections
          throttled       2 GiB at 20 MB/s a connection and 50 ms, against one connection; bytes on the wire
          throttled-small 256 MiB at 20 MB/s and 64 MB at 4 MB/s, 8 and 16 connections against one
          throttled-32    512 MiB at 2 MB/s, 32 connections against one
          slow-lane       1 GiB, 16 connections at 20 MB/s, of which one falls to 100 kB/s, or stalls
          cutting         each connection is cut after 30 to 200 MB
          refusing        20 MB/s a connection, each tenth request for a blob gets 503
          memory          peak memory for 1 and 8 GiB
          session         memory after ten saves of 1 GiB in one session, against two
          heap-limit      32 connections of 100 kB/s under a heap limit of 192 MiB
          pace            whether the registry on loopback keeps the rates that it is told
        Without a bound:
          resume, test, import, hash, completion

        Needs curl, openssl, time, and for their rows nginx, docker-registry, aria2c and skopeo.
        """);
    return 0;
}

bool isQuick = args.Contains("--quick");
BenchmarkOptions options = new()
{
    Folder = Value("--folder") ?? (Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath()),
    Disk = Value("--disk") ?? Path.GetTempPath(),
    Rounds = int.Parse(Value("--rounds") ?? (isQuick ? "1" : "5"), CultureInfo.InvariantCulture),
    Size = Value("--mib") is { } mib ? long.Parse(mib, CultureInfo.InvariantCulture) * Units.MiB : null,
    Only = Value("--only")?.Split(',') ?? [],
    IsQuick = isQuick,
    Before = Value("--before"),
};
return await new Suite(options).RunAsync() ? 0 : 1;

string? Value(string option)
{
    int at = Array.IndexOf(args, option);
    return at >= 0 && at + 1 < args.Length ? args[at + 1] : null;
}
