using System.Globalization;

namespace PSModel.TestParts;

/// <summary>The way to a registry, or a mirror of it: an nginx that writes down what passes. Thread-safe.</summary>
public sealed class Uplink : IDisposable
{
    private const string Loopback = "127.0.0.1";

    private readonly TemporaryFolder _folder = new();
    private readonly string _host;
    private Nginx? _nginx;

    private Uplink(string host) => _host = host;

    /// <summary>What to take for the registry.</summary>
    public Uri Address => new($"http://{_host}:{_nginx!.Port}");

    private string Log => Path.Combine(_folder.Path, "passed.log");

    /// <summary>Opens it.</summary>
    /// <param name="registry">Where it leads.</param>
    /// <param name="isCache">Whether it keeps what passed, and asks for nothing twice.</param>
    /// <param name="bytesPerSecond">The most that passes on each connection, in bytes a second; 0 for no limit.</param>
    /// <param name="host">The address of this machine at which it listens; at loopback it does besides.</param>
    public static async Task<Uplink> StartAsync(Uri registry, bool isCache = false, long bytesPerSecond = 0, string host = Loopback)
    {
        string cache = isCache ? "proxy_cache passed; proxy_cache_valid 200 1h; proxy_cache_lock on; proxy_cache_lock_age 1h; proxy_cache_lock_timeout 1h;" : "proxy_buffering off;";
        Uplink uplink = new(host);
        int port = FreePort.Find();
        IEnumerable<string> listen = new[] { Loopback, host }.Distinct().Select(address => string.Create(CultureInfo.InvariantCulture, $"listen {address}:{port};"));
        uplink._nginx = await Nginx.StartAsync(uplink._folder.Path, port, string.Create(CultureInfo.InvariantCulture, $$"""
            proxy_cache_path {{uplink._folder.Path}}/cache keys_zone=passed:1m;
            log_format passed '$uri $body_bytes_sent';
            server {
              {{string.Join(' ', listen)}}
              access_log {{uplink.Log}} passed;
              limit_rate {{bytesPerSecond}};
              location / {
                proxy_pass {{registry.GetLeftPart(UriPartial.Authority)}};
                proxy_http_version 1.1;
                proxy_set_header Connection "";
                proxy_set_header Host $http_host;
                {{cache}}
              }
            }
            """));
        return uplink;
    }

    /// <summary>The bytes that passed of each blob, by its digest; those of a request are counted when it has ended.</summary>
    public IReadOnlyDictionary<string, long> BytesOfBlobs() => File.ReadAllLines(Log)
        .Where(line => line.Contains("/blobs/", StringComparison.Ordinal))
        .Select(line => line.Split(' '))
        .GroupBy(parts => parts[0][(parts[0].LastIndexOf('/') + 1)..], parts => long.Parse(parts[1], CultureInfo.InvariantCulture))
        .ToDictionary(group => group.Key, group => group.Sum(), StringComparer.Ordinal);

    public void Dispose()
    {
        _nginx?.Dispose();
        _folder.Dispose();
    }
}
