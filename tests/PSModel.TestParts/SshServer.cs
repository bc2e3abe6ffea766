using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace PSModel.TestParts;

/// <summary>OpenSSH's server on an address of loopback, with PowerShell as its subsystem. Each of its ports stands for a machine of its
/// own: what is run there gets variables of its own. It needs root, for it gives sessions to the user that it runs as.</summary>
public sealed class SshServer : IDisposable
{
    /// <summary>What a test names in <see cref="NeedsFactAttribute"/>.</summary>
    public const string Program = "sshd";

    /// <summary>What one server listens at, as its source bounds it.</summary>
    public const int MostPorts = 16;

    /// <summary>Where it listens on a machine that has no other.</summary>
    private const int PortOfHost = 2222;

    private readonly ChildProcess _process;

    private SshServer(string folder, string address, int[] ports, IReadOnlyList<string> enter, IReadOnlyList<IReadOnlyDictionary<string, string>> environments)
    {
        Names = [.. ports.Select(port => $"{Environment.UserName}@{address}:{port.ToString(CultureInfo.InvariantCulture)}")];
        string configuration = Path.Combine(folder, $"sshd-{address}.conf");
        File.WriteAllLines(configuration,
        [
            .. ports.Select(port => $"ListenAddress {address}:{port}"),
            $"HostKey {HostKey(folder)}",
            $"PidFile {configuration}.pid",
            $"AuthorizedKeysFile {UserKey(folder)}.pub",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "UsePAM no",
            "StrictModes no",
            "MaxStartups 100",
            "PermitRootLogin prohibit-password",
            $"Subsystem powershell {NeedsFactAttribute.Find("dotnet")} {Pwsh.Program} -sshs -NoLogo -NoProfile",
            .. ports.SelectMany((port, i) => new[] { $"Match LocalPort {port}", $"  SetEnv {string.Join(' ', environments[i].Select(variable => $"\"{variable.Key}={variable.Value}\""))}" }),
        ]);
        File.AppendAllLines(KnownHosts(folder), ports.Select(port => $"[{address}]:{port} {string.Join(' ', File.ReadAllText($"{HostKey(folder)}.pub").Split(' ').Take(2))}"));

        // Debian's service makes it; no service is started here.
        Directory.CreateDirectory("/run/sshd");
        string[] command = [.. enter, NeedsFactAttribute.Find(Program)!, "-D", "-e", "-f", configuration];
        _process = ChildProcess.Start(command[0], command[1..]);
    }

    /// <summary>By what <c>Invoke-Command -HostName</c> reaches each of its machines.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>The private key that it lets in.</summary>
    public static string UserKey(string folder) => Path.Combine(folder, "id");

    /// <summary>The file by which ssh knows it.</summary>
    public static string KnownHosts(string folder) => Path.Combine(folder, "known_hosts");

    /// <summary>Starts one.</summary>
    /// <param name="folder">Where its files lie; servers with one folder have the same keys.</param>
    /// <param name="address">An address of loopback.</param>
    /// <param name="environments">The variables of each of its machines.</param>
    public static Task<SshServer> StartAsync(string folder, string address, params IReadOnlyList<IReadOnlyDictionary<string, string>> environments) =>
        StartAsync(folder, address, FindPorts(address, environments.Count), [], environments);

    /// <summary>Starts one on another machine.</summary>
    /// <param name="folder">Where its files lie; servers with one folder have the same keys.</param>
    /// <param name="host">The machine.</param>
    /// <param name="environment">Its variables.</param>
    public static Task<SshServer> StartAsync(string folder, NetworkHost host, IReadOnlyDictionary<string, string> environment) =>
        StartAsync(folder, host.Address, [PortOfHost], host.Enter, [environment]);

    /// <summary>Sends a signal to what runs on one of its machines.</summary>
    /// <param name="signal"><c>KILL</c> or another that <c>kill</c> knows.</param>
    /// <param name="variable">A variable that this machine alone has.</param>
    /// <param name="value">Its value.</param>
    /// <returns>How many processes got it.</returns>
    public static async Task<int> SignalAsync(string signal, string variable, string value)
    {
        string[] ids =
        [
            .. System.Diagnostics.Process.GetProcessesByName("dotnet")
                .Where(process => ReadEnvironment(process.Id).Split('\0').Contains($"{variable}={value}"))
                .Select(process => process.Id.ToString(CultureInfo.InvariantCulture)),
        ];
        if (ids.Length > 0)
        {
            await ChildProcess.RunAsync("kill", [$"-{signal}", .. ids]);
        }

        return ids.Length;
    }

    public void Dispose() => _process.Dispose();

    private static async Task<SshServer> StartAsync(string folder, string address, int[] ports, IReadOnlyList<string> enter, IReadOnlyList<IReadOnlyDictionary<string, string>> environments)
    {
        foreach (string key in new[] { HostKey(folder), UserKey(folder) }.Where(key => !File.Exists(key)))
        {
            await ChildProcess.RunAsync("ssh-keygen", "-q", "-t", "ed25519", "-N", string.Empty, "-f", key);
        }

        SshServer server = new(folder, address, ports, enter, environments);
        foreach (int port in ports)
        {
            await server._process.WaitForAsync($"Server listening on {address} port {port}.");
        }

        return server;
    }

    private static string ReadEnvironment(int id)
    {
        try
        {
            return File.ReadAllText($"/proc/{id}/environ");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It has ended.
            return string.Empty;
        }
    }

    private static string HostKey(string folder) => Path.Combine(folder, "hostkey");

    private static int[] FindPorts(string address, int count)
    {
        TcpListener[] listeners = [.. Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Parse(address), 0))];
        Array.ForEach(listeners, listener => listener.Start());
        int[] ports = [.. listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port)];
        Array.ForEach(listeners, listener => listener.Dispose());
        return ports;
    }
}
