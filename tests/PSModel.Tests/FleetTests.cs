using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.RegularExpressions;
using PSModel.Loopback;
using PSModel.TestParts;
using Xunit.Abstractions;

namespace PSModel.Tests;

/// <summary>Models for many machines: OpenSSH's server on eight addresses of loopback, PowerShell at both ends, and a pull-through
/// docker-registry in front of another one, and an nginx between the two that counts.</summary>
public sealed class FleetTests(ModulePackage package, ITestOutputHelper output) : IClassFixture<ModulePackage>, IDisposable
{
    private const int MiB = 1024 * 1024;

    /// <summary>What a crash may cost at most, and what lies in the sockets of four connections then: it has passed as well.</summary>
    private const long LargestLoss = 96 * MiB;

    private const long InFlight = 24 * MiB;

    private readonly TemporaryFolder _folder = new();
    private readonly List<SshServer> _servers = [];
    private DockerRegistry? _origin;
    private Uplink? _uplink;
    private DockerRegistry? _mirror;
    private Uri? _registry;

    [NeedsFact(SshServer.Program, "ssh", DockerRegistry.Program, Nginx.Program, "mount", Root = true)]
    public async Task Eight_hosts_have_a_model_by_the_commands_of_the_readme_but_for_one_that_is_down_and_one_that_is_full()
    {
        LoopbackModel model = await OfferAsync("gemma4", "31b", 6 * MiB);
        LoopbackModel small = await OfferAsync("nomic-embed-text", "latest", MiB, seed: 2);
        await StartAsync(hosts: 8, machines: 1);
        string[] names = [.. _servers.Select(server => server.Names[0])];
        _servers[6].Dispose();
        _servers.RemoveAt(6);
        Directory.CreateDirectory(StoreOf(7, 0));
        await ChildProcess.RunAsync("mount", "-t", "tmpfs", "-o", "size=4m", "none", StoreOf(7, 0));
        try
        {
            (JsonElement[] rows, int exitCode) = await RunChapterAsync(names);
            Assert.Equal(1, exitCode);
            Assert.Equal(16, rows.Length);
            Assert.All(rows.Where(row => IsOf(row, names[..6])), row => Assert.Equal("Saved", Text(row, "State")));
            Assert.All(rows.Where(row => IsOf(row, names[..6])), row => Assert.Equal(_mirror!.Address.GetLeftPart(UriPartial.Authority), Text(row, "From")));
            Assert.All(rows.Where(row => IsOf(row, [names[6]])), row => Assert.Equal(("Unreachable", "HostUnreachable"), (Text(row, "State"), Text(row, "ErrorId"))));
            JsonElement full = Assert.Single(rows, row => IsOf(row, [names[7]]) && Text(row, "Model") == "gemma4:31b");
            Assert.Equal(("Failed", "InsufficientDiskSpace"), (Text(full, "State"), Text(full, "ErrorId")));
            Assert.NotEqual(string.Empty, Text(full, "RecommendedAction"));
            Assert.Equal("Saved", Text(Assert.Single(rows, row => IsOf(row, [names[7]]) && Text(row, "Model") != "gemma4:31b"), "State"));
            AssertFetched(2, model, small);

            SortedDictionary<string, string>[] before = [.. Enumerable.Range(0, 6).Select(host => Snapshot(host, 0))];
            string[] log = File.ReadAllLines(Path.Combine(_folder.Path, "fleet.log"));
            Assert.Equal(8, log.Count(line => line.EndsWith(" Started", StringComparison.Ordinal)));
            Assert.Equal(7, log.Count(line => line.Contains("Installed: PSModel", StringComparison.Ordinal)));
            Assert.All(log, line => Assert.Matches("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z [^ ]+ .+$", line));

            (rows, _) = await RunChapterAsync(names);
            Assert.All(rows.Where(row => IsOf(row, names[..6])), row => Assert.Equal(("AlreadyPresent", 0), (Text(row, "State"), row.GetProperty("BytesReceived").GetInt64())));
            Assert.Equal(before, Enumerable.Range(0, 6).Select(host => Snapshot(host, 0)));
            AssertFetched(2, model, small);
            Assert.Equal(log, File.ReadAllLines(Path.Combine(_folder.Path, "fleet.log")).Take(log.Length));

            (_, exitCode) = await RunChapterAsync(names[..6]);
            Assert.Equal(0, exitCode);
        }
        finally
        {
            await ChildProcess.RunAsync("umount", StoreOf(7, 0));
        }
    }

    [NeedsFact(SshServer.Program, "ssh", DockerRegistry.Program, Nginx.Program, Root = true)]
    public async Task A_hundred_stores_on_eight_hosts_have_a_model_that_crossed_the_uplink_once()
    {
        LoopbackModel model = await OfferAsync("gemma4", "31b", 3 * MiB);
        using Uplink cache = await Uplink.StartAsync(_uplink!.Address, isCache: true);
        _registry = cache.Address;
        await StartAsync(hosts: 8, machines: 13);
        string[] machines = [.. _servers.SelectMany(server => server.Names).Take(100)];

        // Those of a host have one place for modules.
        (JsonElement[] rows, int exitCode) = await RunAsync([.. _servers.Select(server => server.Names[0])], Script());
        Assert.Equal((8, 0), (rows.Count(row => Text(row, "State") == "Saved"), exitCode));
        (rows, exitCode) = await RunAsync(machines, Script("-ThrottleLimit 8"));

        Assert.Equal(0, exitCode);
        Assert.Equal(machines.Order(StringComparer.Ordinal), rows.Select(row => Text(row, "Host")).Order(StringComparer.Ordinal));
        Assert.All(rows, row => Assert.Equal(_servers.Exists(server => server.Names[0] == Text(row, "Host")) ? "AlreadyPresent" : "Saved", Text(row, "State")));
        for (int machine = 0; machine < machines.Length; machine++)
        {
            Assert.All(model.Blobs, blob => Assert.Equal(blob.Length, new FileInfo(Path.Combine(StoreOf(machine / 13, machine % 13), "blobs", blob.Digest.Replace(':', '-'))).Length));
        }

        AssertFetched(1, model);
    }

    [NeedsFact(SshServer.Program, "ssh", DockerRegistry.Program, Nginx.Program, Root = true)]
    public async Task What_is_killed_in_the_middle_goes_on_at_the_second_run()
    {
        LoopbackModel model = await OfferAsync("gemma4", "31b", 256 * MiB);
        using Uplink slow = await Uplink.StartAsync(_origin!.Address, bytesPerSecond: 10 * MiB);
        _registry = slow.Address;
        await StartAsync(hosts: 1, machines: 1);
        Task<(JsonElement[] Rows, int ExitCode)> first = RunAsync([_servers[0].Names[0]], Script());
        await Until.HoldsAsync(() => Partial(0) is { Exists: true, Length: > 128 * MiB } || first.IsCompleted);
        Assert.Equal(1, await SshServer.SignalAsync("KILL", "OLLAMA_MODELS", StoreOf(0, 0)));
        JsonElement row = Assert.Single((await first).Rows);
        Assert.Equal(("Failed", "ConnectionLost"), (Text(row, "State"), Text(row, "ErrorId")));

        row = Assert.Single((await RunAsync([_servers[0].Names[0]], Script())).Rows);

        Assert.Equal("Saved", Text(row, "State"));
        Assert.True(row.GetProperty("BytesResumed").GetInt64() > 0);
        long passed = slow.BytesOfBlobs()[model.Blobs[0].Digest];
        output.WriteLine($"{(passed - model.Blobs[0].Length) / MiB} MiB came twice");
        Assert.InRange(passed, model.Blobs[0].Length, model.Blobs[0].Length + LargestLoss + InFlight);
    }

    [NeedsFact(SshServer.Program, "ssh", DockerRegistry.Program, Nginx.Program, Root = true)]
    public async Task Hosts_that_answer_nothing_or_fall_silent_hold_up_no_other()
    {
        await OfferAsync("gemma4", "31b", 30 * MiB);
        using Uplink slow = await Uplink.StartAsync(_origin!.Address, bytesPerSecond: MiB / 2);
        _registry = slow.Address;
        await StartAsync(hosts: 2, machines: 1);
        using TcpListener deaf = new(IPAddress.Parse("127.0.0.9"), 0);
        deaf.Start();
        string dumb = $"{Environment.UserName}@{deaf.LocalEndpoint}";
        string[] names = [dumb, _servers[0].Names[0], _servers[1].Names[0]];

        // The second one stops in mid-download; one place is enough for all, once those that say nothing have lost theirs.
        Task<(JsonElement[] Rows, int ExitCode)> run = RunAsync(names, Script("-ConnectionTimeoutSeconds 3 -SilenceTimeoutSeconds 20 -ThrottleLimit 1"));
        await Until.HoldsAsync(() => Partial(0) is { Exists: true, Length: > 0 } || run.IsCompleted);
        Assert.Equal(1, await SshServer.SignalAsync("STOP", "OLLAMA_MODELS", StoreOf(0, 0)));
        (JsonElement[] rows, int exitCode) = await run;

        Assert.Equal(1, exitCode);
        Assert.Equal(["HostUnreachable", "HostSilent", string.Empty], names.Select(name => Text(Assert.Single(rows, row => IsOf(row, [name])), "ErrorId")));
        Assert.Equal("Saved", Text(Assert.Single(rows, row => IsOf(row, [names[2]])), "State"));
    }

    public void Dispose()
    {
        _servers.ForEach(server => server.Dispose());
        _mirror?.Dispose();
        _uplink?.Dispose();
        _origin?.Dispose();
        _folder.Dispose();
    }

    /// <summary>The script by itself, with one model.</summary>
    private static string Script(string more = "") =>
        $"./tests/samples/Save-FleetModel.ps1 -HostName (Get-Content hosts.txt) -Name gemma4:31b -Registry $env:MODEL_MIRROR -Repository $env:MODEL_PACKAGES -LogPath fleet.log {more} | ConvertTo-Json -AsArray | Set-Content rows.json";

    private static string Text(JsonElement row, string property) => row.GetProperty(property).GetString() ?? string.Empty;

    private static bool IsOf(JsonElement row, string[] names) => names.Contains(Text(row, "Host"));

    private async Task<LoopbackModel> OfferAsync(string name, string tag, long size, int seed = 1)
    {
        _origin ??= await DockerRegistry.StartAsync();
        _uplink ??= await Uplink.StartAsync(_origin.Address);
        _mirror ??= await DockerRegistry.StartCacheAsync(_uplink.Address);
        LoopbackModel model = LoopbackModel.Generate($"library/{name}", tag, size, seed);
        await _origin.PushAsync(model);
        return model;
    }

    /// <summary>Each host has modules of its own, and each of its machines a store.</summary>
    private async Task StartAsync(int hosts, int machines)
    {
        for (int host = 0; host < hosts; host++)
        {
            _servers.Add(await SshServer.StartAsync(_folder.Path, $"127.0.0.{host + 2}", [.. Enumerable.Range(0, machines).Select(machine => new Dictionary<string, string>
            {
                ["OLLAMA_MODELS"] = StoreOf(host, machine),
                ["HOME"] = Directory.CreateDirectory(Path.Combine(_folder.Path, $"home-{host}")).FullName,
            })]));
        }
    }

    private string StoreOf(int host, int machine) => Path.Combine(_folder.Path, $"store-{host}-{machine}");

    private FileInfo? Partial(int host)
    {
        string work = Path.Combine(StoreOf(host, 0), ".psmodel");
        return Directory.Exists(work) ? new DirectoryInfo(work).GetFiles("*.partial").MaxBy(file => file.Exists ? file.Length : 0) : null;
    }

    private SortedDictionary<string, string> Snapshot(int host, int machine)
    {
        string store = StoreOf(host, machine);
        return new(Directory.GetFiles(store, "*", SearchOption.AllDirectories).ToDictionary(path => path, path => $"{new FileInfo(path).Length} {File.GetLastWriteTimeUtc(path):O}"), StringComparer.Ordinal);
    }

    /// <summary>Whatever the number of hosts. A docker-registry 2.8 that is asked for what it has not fetches it for whoever asks, and
    /// once more for itself.</summary>
    private void AssertFetched(int times, params LoopbackModel[] models) => Assert.Equal(
        models.SelectMany(model => model.Blobs).DistinctBy(blob => blob.Digest).OrderBy(blob => blob.Digest, StringComparer.Ordinal).Select(blob => (blob.Digest, times * blob.Length)),
        _uplink!.BytesOfBlobs().Select(blob => (blob.Key, blob.Value)).OrderBy(blob => blob.Key, StringComparer.Ordinal));

    /// <summary>The commands of the chapter as they stand; the script is told before how to reach this test's servers.</summary>
    private async Task<(JsonElement[] Rows, int ExitCode)> RunChapterAsync(string[] names)
    {
        string readme = await File.ReadAllTextAsync(Path.Combine(Checkout.Root, "README.md"));
        string chapter = readme[readme.IndexOf("## A hundred machines", StringComparison.Ordinal)..];
        string commands = Regex.Match(chapter, "```powershell\n(.*?)```", RegexOptions.Singleline).Groups[1].Value.Replace("| Format-Table", "| ConvertTo-Json -AsArray | Set-Content rows.json #", StringComparison.Ordinal);
        return await RunAsync(names, commands);
    }

    private async Task<(JsonElement[] Rows, int ExitCode)> RunAsync(string[] names, string commands)
    {
        await File.WriteAllLinesAsync(Path.Combine(_folder.Path, "hosts.txt"), names);
        if (!Directory.Exists(Path.Combine(_folder.Path, "tests")))
        {
            Directory.CreateSymbolicLink(Path.Combine(_folder.Path, "tests"), Path.Combine(Checkout.Root, "tests"));
        }

        using ChildProcess process = ChildProcess.Start(
            "dotnet",
            Pwsh.Bare($"Set-Location '{_folder.Path}'; $PSDefaultParameterValues = @{{ 'Save-FleetModel.ps1:KeyFilePath' = '{SshServer.UserKey(_folder.Path)}'; 'Save-FleetModel.ps1:SshOption' = @{{ UserKnownHostsFile = '{SshServer.KnownHosts(_folder.Path)}' }} }}; {commands}; exit $LASTEXITCODE"),
            ("MODEL_MIRROR", (_registry ?? _mirror!.Address).GetLeftPart(UriPartial.Authority)),
            ("MODEL_PACKAGES", Path.GetDirectoryName(package.Path)!));
        int exitCode = await process.WaitAsync(TimeSpan.FromMinutes(15));
        output.WriteLine(process.Output + process.Error + await File.ReadAllTextAsync(Path.Combine(_folder.Path, "fleet.log")));
        using JsonDocument json = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(_folder.Path, "rows.json")));
        return ([.. json.RootElement.EnumerateArray().Select(row => row.Clone())], exitCode);
    }
}
