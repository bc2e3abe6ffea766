using System.Diagnostics;
using System.Globalization;
using System.Net.NetworkInformation;

namespace PSModel.TestParts;

/// <summary>A machine with a network of its own: a network namespace of Linux, and a cable to this one. It needs root.</summary>
public sealed class NetworkHost : IAsyncDisposable
{
    /// <summary>What a test names in <see cref="NeedsFactAttribute"/>.</summary>
    public const string Program = "ip";

    /// <summary>Of the networks for measurements (RFC 2544), which nothing else here uses.</summary>
    private const string Networks = "198.18";

    private readonly string _name;
    private readonly string _network;

    private NetworkHost(int number)
    {
        _name = string.Create(CultureInfo.InvariantCulture, $"psm{Environment.ProcessId}-{number}");
        _network = string.Create(CultureInfo.InvariantCulture, $"{Networks}.{number}");
    }

    /// <summary>Its address.</summary>
    public string Address => $"{_network}.2";

    /// <summary>The address that this machine has for it.</summary>
    public string Here => $"{_network}.1";

    /// <summary>What comes before a command that is run there.</summary>
    public IReadOnlyList<string> Enter => [Program, "netns", "exec", _name];

    private string Cable => $"{_name}b";

    /// <summary>Makes one.</summary>
    public static async Task<NetworkHost> StartAsync()
    {
        string[] taken = [.. NetworkInterface.GetAllNetworkInterfaces().SelectMany(found => found.GetIPProperties().UnicastAddresses).Select(found => found.Address.ToString())];
        NetworkHost host = new(Enumerable.Range(0, 256).First(number => !taken.Contains(string.Create(CultureInfo.InvariantCulture, $"{Networks}.{number}.1"))));
        await RunAsync("netns", "add", host._name);
        try
        {
            await RunAsync("link", "add", host.Cable, "type", "veth", "peer", "name", "eth0", "netns", host._name);
            await RunAsync("addr", "add", $"{host.Here}/24", "dev", host.Cable);
            await RunAsync("link", "set", host.Cable, "up");
            await RunAsync("-n", host._name, "addr", "add", $"{host.Address}/24", "dev", "eth0");
            await RunAsync("-n", host._name, "link", "set", "lo", "up");
            await RunAsync("-n", host._name, "link", "set", "eth0", "up");
            return host;
        }
        catch
        {
            await RunAsync("netns", "del", host._name);
            throw;
        }
    }

    /// <summary>Whether this process may make one.</summary>
    public static bool MayBeMade()
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"psm{Environment.ProcessId}-may");
        return Succeeds("netns", "add", name) && Succeeds("netns", "del", name);
    }

    /// <summary>Pulls the cable, of which no connection is told.</summary>
    public Task UnplugAsync() => RunAsync("link", "set", Cable, "down");

    /// <summary>Plugs it in again.</summary>
    public Task PlugAsync() => RunAsync("link", "set", Cable, "up");

    /// <summary>What runs there keeps running.</summary>
    public async ValueTask DisposeAsync()
    {
        await RunAsync("link", "del", Cable);
        await RunAsync("netns", "del", _name);
    }

    private static bool Succeeds(params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(Program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    private static Task RunAsync(params string[] arguments) => ChildProcess.RunAsync(Program, arguments);
}
