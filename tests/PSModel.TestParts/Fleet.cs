using System.Text.Json;
using PSModel.Loopback;
using Xunit;

namespace PSModel.TestParts;

/// <summary>Machines for the sample that saves models on many: OpenSSH's server on addresses of loopback, PowerShell at both ends. Each host
/// has modules of its own, and each of its machines a store. It needs root.</summary>
/// <param name="folder">Where everything of it lies.</param>
public sealed class Fleet(string folder) : IDisposable
{
    /// <summary>The servers, one a host.</summary>
    public List<SshServer> Servers { get; } = [];

    /// <summary>What the script has written down.</summary>
    public string LogPath => Path.Combine(folder, "fleet.log");

    /// <summary>The script by itself, with one model.</summary>
    public static string Script(string model, string more = "") =>
        $"./tests/samples/Save-FleetModel.ps1 -HostName (Get-Content hosts.txt) -Name {model} -Registry $env:MODEL_MIRROR -Repository $env:MODEL_PACKAGES -LogPath fleet.log {more} | {ToRows}";

    /// <summary>Where commands send their table, for <see cref="RunAsync"/> to read.</summary>
    public const string ToRows = "ConvertTo-Json -AsArray | Set-Content rows.json";

    /// <summary>Starts the servers.</summary>
    public async Task StartAsync(int hosts, int machines)
    {
        for (int host = 0; host < hosts; host++)
        {
            Servers.Add(await SshServer.StartAsync(folder, $"127.0.0.{host + 2}", [.. Enumerable.Range(0, machines).Select(machine => EnvironmentOf(host, machine))]));
        }
    }

    /// <summary>Starts the server of a machine that has a network of its own.</summary>
    public async Task StartAsync(NetworkHost host) => Servers.Add(await SshServer.StartAsync(folder, host, EnvironmentOf(Servers.Count, 0)));

    /// <summary>The store of a machine.</summary>
    public string StoreOf(int host, int machine) => Path.Combine(folder, $"store-{host}-{machine}");

    /// <summary>Where a host has its user's modules.</summary>
    public string ModulesOf(int host) => Path.Combine(HomeOf(host), ".local", "share", "powershell", "Modules");

    /// <summary>The largest file of unfinished work on the first machine of a host.</summary>
    public FileInfo? Partial(int host)
    {
        string work = Path.Combine(StoreOf(host, 0), ".psmodel");
        return Directory.Exists(work) ? new DirectoryInfo(work).GetFiles("*.partial").MaxBy(file => file.Exists ? file.Length : 0) : null;
    }

    /// <summary>Runs commands that write their table by <see cref="ToRows"/>, from a file as a scheduler does; the script is told before how
    /// to reach these servers.</summary>
    /// <param name="mirror">The registry.</param>
    /// <param name="packages">The folder of the module's package.</param>
    /// <param name="names">The machines.</param>
    /// <param name="commands">The commands.</param>
    /// <returns>The table, the exit code, and what was written besides.</returns>
    public async Task<(JsonElement[] Rows, int ExitCode, string Output)> RunAsync(Uri mirror, string packages, IEnumerable<string> names, string commands)
    {
        await File.WriteAllLinesAsync(Path.Combine(folder, "hosts.txt"), names);
        if (!Directory.Exists(Path.Combine(folder, "tests")))
        {
            Directory.CreateSymbolicLink(Path.Combine(folder, "tests"), Path.Combine(Checkout.Root, "tests"));
        }

        string rows = Path.Combine(folder, "rows.json");
        File.Delete(rows);
        string scheduled = Path.Combine(folder, "scheduled.ps1");
        await File.WriteAllLinesAsync(scheduled,
        [
            $"Set-Location '{folder}'",
            $"$PSDefaultParameterValues = @{{ 'Save-FleetModel.ps1:KeyFilePath' = '{SshServer.UserKey(folder)}'; 'Save-FleetModel.ps1:SshOption' = @{{ UserKnownHostsFile = '{SshServer.KnownHosts(folder)}' }} }}",
            commands,
            "exit $LASTEXITCODE",
        ]);
        using ChildProcess process = ChildProcess.Start(
            "dotnet",
            [Pwsh.Program, "-NoProfile", "-NonInteractive", "-File", scheduled],
            ("MODEL_MIRROR", mirror.GetLeftPart(UriPartial.Authority)),
            ("MODEL_PACKAGES", packages));
        int exitCode = await process.WaitAsync(TimeSpan.FromMinutes(15));
        using JsonDocument json = JsonDocument.Parse(File.Exists(rows) ? await File.ReadAllBytesAsync(rows) : "[]"u8.ToArray());
        return ([.. json.RootElement.EnumerateArray().Select(row => row.Clone())], exitCode, process.Output + process.Error + (File.Exists(LogPath) ? await File.ReadAllTextAsync(LogPath) : string.Empty));
    }

    /// <summary>A property of a row; empty where it has none.</summary>
    public static string Text(JsonElement row, string property) => row.GetProperty(property).GetString() ?? string.Empty;

    /// <summary>Requires that a store has each byte of a model, and its manifest as it was served.</summary>
    public static void AssertThere(LoopbackModel model, string store)
    {
        Assert.All(model.Blobs, blob => Assert.Equal(blob.Digest, OllamaStore.DigestOf(File.ReadAllBytes(Path.Combine(store, "blobs", blob.Digest.Replace(':', '-'))))));
        Assert.Equal(model.Manifest, File.ReadAllBytes(Path.Combine([store, "manifests", "registry.ollama.ai", .. model.Name.Split('/'), model.Tag])));
    }

    public void Dispose() => Servers.ForEach(server => server.Dispose());

    private Dictionary<string, string> EnvironmentOf(int host, int machine) => new()
    {
        ["OLLAMA_MODELS"] = StoreOf(host, machine),
        ["HOME"] = Directory.CreateDirectory(HomeOf(host)).FullName,
    };

    private string HomeOf(int host) => Path.Combine(folder, $"home-{host}");
}
