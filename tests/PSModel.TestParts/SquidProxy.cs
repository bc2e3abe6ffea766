using System.Globalization;

namespace PSModel.TestParts;

/// <summary>A real squid on loopback, as a forward proxy.</summary>
public sealed class SquidProxy : IDisposable
{
    /// <summary>What a test names in <see cref="NeedsFactAttribute"/>.</summary>
    public const string Program = "squid";

    /// <summary>A host that only the proxy knows: it is this machine.</summary>
    public const string Host = "registry.test";

    /// <summary>Segments of shared memory begin with it, and a squid that is killed leaves them.</summary>
    private readonly string _name = $"psmodel{Guid.NewGuid():N}"[..20];

    private readonly TemporaryFolder _folder = new();
    private readonly ChildProcess _process;

    private SquidProxy(int port, string rules)
    {
        Port = port;
        File.WriteAllText(InFolder("hosts"), $"127.0.0.1 {Host}\n");
        if (!OperatingSystem.IsWindows())
        {
            // Started by root, it goes on as a user that may do nothing, and writes its logs as that one.
            File.SetUnixFileMode(_folder.Path, (UnixFileMode)511);
        }

        string configuration = InFolder("squid.conf");
        File.WriteAllText(configuration, string.Create(CultureInfo.InvariantCulture, $"""
            http_port 127.0.0.1:{port}
            pid_filename none
            netdb_filename none
            pinger_enable off
            access_log stdio:{InFolder("access.log")}
            cache_log {InFolder("cache.log")}
            coredump_dir {_folder.Path}
            hosts_file {InFolder("hosts")}
            cache deny all
            shutdown_lifetime 0 seconds
            {rules}
            """));
        _process = ChildProcess.Start(NeedsFactAttribute.Find(Program)!, ["-N", "-n", _name, "-f", configuration]);
    }

    public int Port { get; }

    /// <summary>Scheme, host and port.</summary>
    public string Address => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{Port}");

    /// <summary>What it led to so far, a line for each tunnel that has ended, and for each request without encryption.</summary>
    public string Log => File.Exists(InFolder("access.log")) ? File.ReadAllText(InFolder("access.log")) : string.Empty;

    /// <summary>Starts it.</summary>
    /// <param name="rules">Whom it lets through, in the words of its configuration.</param>
    public static async Task<SquidProxy> StartAsync(string rules = "http_access allow all")
    {
        SquidProxy squid = new(FreePort.Find(), rules);
        await FreePort.WaitForListenerAsync(squid.Port, squid._process);
        return squid;
    }

    /// <summary>Starts it for one user alone, whom it checks by Debian's <c>basic_ncsa_auth</c>.</summary>
    /// <param name="folder">Where the file with the password's hash is put.</param>
    /// <param name="user">The user.</param>
    /// <param name="hash">Of the password, as <c>htpasswd -B</c> makes it.</param>
    public static async Task<SquidProxy> StartGuardedAsync(string folder, string user, string hash)
    {
        string users = Path.Combine(folder, "users");
        await File.WriteAllTextAsync(users, $"{user}:{hash}\n");
        return await StartAsync($"""
            auth_param basic program /usr/lib/squid/basic_ncsa_auth {users}
            auth_param basic children 1
            acl known proxy_auth REQUIRED
            http_access allow known
            http_access deny all
            """);
    }

    public void Dispose()
    {
        _process.Dispose();
        _folder.Dispose();
        foreach (string segment in Directory.EnumerateFiles("/dev/shm", $"{_name}-*"))
        {
            File.Delete(segment);
        }
    }

    private string InFolder(string name) => Path.Combine(_folder.Path, name);
}
