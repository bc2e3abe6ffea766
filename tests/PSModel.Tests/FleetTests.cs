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
public sealed class FleetTests : IClassFixture<ModulePackage>, IDisposable
{
    private const int MiB = 1024 * 1024;

    /// <summary>What a crash may cost at most; what lay in the sockets of its connections counts.</summary>
    private const long LargestLoss = 96 * MiB;

    private readonly TemporaryFolder _folder = new();
    private readonly Fleet _fleet;
    private readonly ModulePackage _package;
    private readonly ITestOutputHelper _output;
    private DockerRegistry? _origin;
    private Uplink? _uplink;
    private DockerRegistry? _mirror;
    private Uri? _registry;

    public FleetTests(ModulePackage package, ITestOutputHelper output)
    {
        _package = package;
        _output = output;
        _fleet = new Fleet(_folder.Path);
    }

    private List<SshServer> Servers => _fleet.Servers;

    [NeedsFact(SshServer.Program, "ssh", DockerRegistry.Program, Nginx.Program, "mount", Root = true)]
    public async Task Eight_hosts_have_a_model_by_the_commands_of_the_readme_but_for_one_that_is_down_and_one_that_is_full()
    {
        LoopbackModel model = await OfferAsync("gemma4", "31b", 6 * MiB);
        LoopbackModel small = await OfferAsync("nomic-embed-text", "latest", MiB, seed: 2);
        await _fleet.StartAsync(hosts: 8, machines: 1);
        string[] names = [.. Servers.Select(server => server.Names[0])];
        Servers[6].Dispose();
        Servers.RemoveAt(6);
        Directory.CreateDirectory(_fleet.StoreOf(7, 0));
        await ChildProcess.RunAsync("mount", "-t", "tmpfs", "-o", "size=4m", "none", _fleet.StoreOf(7, 0));
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
            string[] log = File.ReadAllLines(_fleet.LogPath);
            Assert.Equal(8, log.Count(line => line.EndsWith(" Started", StringComparison.Ordinal)));
            Assert.Equal(7, log.Count(line => line.Contains("Installed: PSModel", StringComparison.Ordinal)));
            Assert.All(log, line => Assert.Matches("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z [^ ]+ .+$", line));

            (rows, _) = await RunChapterAsync(names);
            Assert.All(rows.Where(row => IsOf(row, names[..6])), row => Assert.Equal(("AlreadyPresent", 0), (Text(row, "State"), row.GetProperty("BytesReceived").GetInt64())));
            Assert.Equal(before, Enumerable.Range(0, 6).Select(host => Snapshot(host, 0)));
            AssertFetched(2, model, small);
            Assert.Equal(log, File.ReadAllLines(_fleet.LogPath).Take(log.Length));

            (_, exitCode) = await RunChapterAsync(names[..6]);
            Assert.Equal(0, exitCode);
        }
        finally
        {
            await ChildProcess.RunAsync("umount", _fleet.StoreOf(7, 0));
        }
    }

    [NeedsFact(SshServer.Program, "ssh", DockerRegistry.Program, Nginx.Program, Root = true)]
    public async Task A_hundred_stores_on_eight_hosts_have_a_model_that_crossed_the_uplink_once()
    {
        LoopbackModel model = await OfferAsync("gemma4", "31b", 3 * MiB);
        using Uplink cache = await Uplink.StartAsync(_uplink!.Address, isCache: true);
        _registry = cache.Address;
        await _fleet.StartAsync(hosts: 8, machines: 13);
        string[] machines = [.. Servers.SelectMany(server => server.Names).Take(100)];

        // Those of a host have one place for modules.
        (JsonElement[] rows, int exitCode) = await RunAsync([.. Servers.Select(server => server.Names[0])], Script());
        Assert.Equal((8, 0), (rows.Count(row => Text(row, "State") == "Saved"), exitCode));
        (rows, exitCode) = await RunAsync(machines, Script("-ThrottleLimit 8"));

        Assert.Equal(0, exitCode);
        Assert.Equal(machines.Order(StringComparer.Ordinal), rows.Select(row => Text(row, "Host")).Order(StringComparer.Ordinal));
        Assert.All(rows, row => Assert.Equal(Servers.Exists(server => server.Names[0] == Text(row, "Host")) ? "AlreadyPresent" : "Saved", Text(row, "State")));
        for (int machine = 0; machine < machines.Length; machine++)
        {
            Fleet.AssertThere(model, _fleet.StoreOf(machine / 13, machine % 13));
        }

        AssertFetched(1, model);
    }

    [NeedsFact(SshServer.Program, "ssh", DockerRegistry.Program, Nginx.Program, Root = true)]
    public async Task What_is_killed_in_the_middle_goes_on_at_the_second_run()
    {
        LoopbackModel model = await OfferAsync("gemma4", "31b", 256 * MiB);
        using Uplink slow = await Uplink.StartAsync(_origin!.Address, bytesPerSecond: 10 * MiB);
        _registry = slow.Address;
        await _fleet.StartAsync(hosts: 1, machines: 1);
        Task<(JsonElement[] Rows, int ExitCode)> first = RunAsync([Servers[0].Names[0]], Script());
        await Until.HoldsAsync(() => _fleet.Partial(0) is { Exists: true, Length: > 128 * MiB } || first.IsCompleted);
        Assert.Equal(1, await SshServer.SignalAsync("KILL", "OLLAMA_MODELS", _fleet.StoreOf(0, 0)));
        JsonElement row = Assert.Single((await first).Rows);
        Assert.Equal(("Failed", "ConnectionLost"), (Text(row, "State"), Text(row, "ErrorId")));

        row = Assert.Single((await RunAsync([Servers[0].Names[0]], Script())).Rows);

        Assert.Equal("Saved", Text(row, "State"));
        Assert.True(row.GetProperty("BytesResumed").GetInt64() > 0);
        long passed = slow.BytesOfBlobs()[model.Blobs[0].Digest];
        _output.WriteLine($"{(passed - model.Blobs[0].Length) / MiB} MiB came twice");
        Assert.InRange(passed, model.Blobs[0].Length, model.Blobs[0].Length + LargestLoss);
    }

    [NeedsFact(SshServer.Program, "ssh", DockerRegistry.Program, Nginx.Program, Root = true)]
    public async Task Hosts_that_answer_nothing_or_fall_silent_hold_up_no_other()
    {
        // It takes longer than a host may be silent.
        await OfferAsync("gemma4", "31b", 60 * MiB);
        using Uplink slow = await Uplink.StartAsync(_origin!.Address, bytesPerSecond: MiB / 2);
        _registry = slow.Address;
        await _fleet.StartAsync(hosts: 2, machines: 1);
        using TcpListener deaf = Deaf(out string dumb);
        string[] names = [dumb, Servers[0].Names[0], Servers[1].Names[0]];

        // The second one stops in mid-download; one place is enough for all, once those that say nothing have lost theirs.
        Task<(JsonElement[] Rows, int ExitCode)> run = RunAsync(names, Script("-ConnectionTimeoutSeconds 3 -SilenceTimeoutSeconds 20 -ThrottleLimit 1"));
        await Until.HoldsAsync(() => _fleet.Partial(0) is { Exists: true, Length: > 0 } || run.IsCompleted);
        Assert.Equal(1, await SshServer.SignalAsync("STOP", "OLLAMA_MODELS", _fleet.StoreOf(0, 0)));
        (JsonElement[] rows, int exitCode) = await run;

        Assert.Equal(1, exitCode);
        Assert.Equal(["HostUnreachable", "HostSilent", string.Empty], names.Select(name => Text(Assert.Single(rows, row => IsOf(row, [name])), "ErrorId")));
        Assert.Equal("Saved", Text(Assert.Single(rows, row => IsOf(row, [names[2]])), "State"));

        // What is stopped hears of no end of its connection.
        Assert.Equal(1, await SshServer.SignalAsync("KILL", "OLLAMA_MODELS", _fleet.StoreOf(0, 0)));
    }

    [NeedsFact(SshServer.Program, "ssh", DockerRegistry.Program, Nginx.Program, Root = true)]
    public async Task A_module_that_is_older_than_wanted_is_replaced_and_one_that_is_not_is_left()
    {
        await OfferAsync("gemma4", "31b", MiB);
        await _fleet.StartAsync(hosts: 1, machines: 1);
        string[] names = [Servers[0].Names[0]];
        string older = Path.Combine(_fleet.ModulesOf(0), "PSModel", "0.0.1");
        Directory.CreateDirectory(older);
        await File.WriteAllTextAsync(Path.Combine(older, "PSModel.psd1"), "@{ ModuleVersion = '0.0.1' }");
        for (int run = 0; run < 2; run++)
        {
            JsonElement row = Assert.Single((await RunAsync(names, Script($"-ModuleVersion {Checkout.Version}"))).Rows);
            Assert.Matches("^(Saved|AlreadyPresent)$", Text(row, "State"));
            Assert.Single(File.ReadAllLines(_fleet.LogPath), line => line.Contains("Installed: PSModel", StringComparison.Ordinal));
        }
    }

    [NeedsFact(SshServer.Program, "ssh", DockerRegistry.Program, Nginx.Program, Root = true)]
    public async Task A_registry_of_the_site_is_filled_and_used_by_the_commands_of_the_readme()
    {
        LoopbackModel model = await OfferAsync("gemma4", "31b", 2 * MiB);
        await OfferAsync("nomic-embed-text", "latest", MiB, seed: 2);
        using DockerRegistry site = await DockerRegistry.StartAsync();
        _registry = site.Address;
        string start = $"$ErrorActionPreference = 'Stop'; $env:OLLAMA_MODELS = '{_folder.Path}/filled'; Import-Module '{Checkout.StagedModule}'; $PSDefaultParameterValues['Save-ModelBlob:Registry'] = '{_origin!.Address}'\n";
        Assert.Equal(0, (await RunChapterAsync([], block: 1, start)).ExitCode);

        await _fleet.StartAsync(hosts: 1, machines: 1);
        (JsonElement[] rows, _) = await RunChapterAsync([Servers[0].Names[0], " "]);
        Assert.Equal(("Saved", site.Address.GetLeftPart(UriPartial.Authority)), (Text(rows[0], "State"), Text(rows[0], "From")));
        Assert.Equal("Saved", Text(rows[1], "State"));
        Fleet.AssertThere(model, _fleet.StoreOf(0, 0));
    }

    [NeedsFact("ssh")]
    public async Task A_scheduled_run_without_hosts_is_no_success()
    {
        _registry = new Uri("http://127.0.0.1:9");
        (JsonElement[] rows, int exitCode) = await RunChapterAsync([string.Empty, " "]);
        Assert.Equal((0, 1), (rows.Length, exitCode));
        Assert.Contains("No host is named", await File.ReadAllTextAsync(_fleet.LogPath), StringComparison.Ordinal);
    }

    [NeedsFact(SshServer.Program, "ssh", DockerRegistry.Program, Nginx.Program, Root = true)]
    public async Task A_first_host_that_takes_its_time_does_not_hold_up_the_others_for_ever()
    {
        await OfferAsync("gemma4", "31b", MiB);
        await _fleet.StartAsync(hosts: 1, machines: 1);
        using TcpListener deaf = Deaf(out string dumb);
        string[] names = [dumb, Servers[0].Names[0]];
        (JsonElement[] rows, _) = await RunAsync(names, Script("-HeadStartSeconds 2 -ConnectionTimeoutSeconds 15"));
        Assert.Equal(["Unreachable", "Saved"], names.Select(name => Text(Assert.Single(rows, row => IsOf(row, [name])), "State")));
        string[] log = File.ReadAllLines(_fleet.LogPath);
        Assert.InRange(Array.FindIndex(log, line => line.EndsWith($"{names[1]} Started", StringComparison.Ordinal)), 0, Array.FindIndex(log, line => line.Contains("Unreachable", StringComparison.Ordinal)));
    }

    public void Dispose()
    {
        _fleet.Dispose();
        _mirror?.Dispose();
        _uplink?.Dispose();
        _origin?.Dispose();
        _folder.Dispose();
    }

    private static TcpListener Deaf(out string name)
    {
        TcpListener deaf = new(IPAddress.Parse("127.0.0.9"), 0);
        deaf.Start();
        name = $"{Environment.UserName}@{deaf.LocalEndpoint}";
        return deaf;
    }

    private static string Script(string more = "") => Fleet.Script("gemma4:31b", more);

    private static string Text(JsonElement row, string property) => Fleet.Text(row, property);

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

    private SortedDictionary<string, string> Snapshot(int host, int machine)
    {
        string store = _fleet.StoreOf(host, machine);
        return new(Directory.GetFiles(store, "*", SearchOption.AllDirectories).ToDictionary(path => path, path => $"{new FileInfo(path).Length} {File.GetLastWriteTimeUtc(path):O}"), StringComparer.Ordinal);
    }

    /// <summary>Whatever the number of hosts. A docker-registry 2.8 that is asked for what it has not fetches it for whoever asks, and
    /// once more for itself.</summary>
    private void AssertFetched(int times, params LoopbackModel[] models) => Assert.Equal(
        models.SelectMany(model => model.Blobs).DistinctBy(blob => blob.Digest).OrderBy(blob => blob.Digest, StringComparer.Ordinal).Select(blob => (blob.Digest, times * blob.Length)),
        _uplink!.BytesOfBlobs().Select(blob => (blob.Key, blob.Value)).OrderBy(blob => blob.Key, StringComparer.Ordinal));

    /// <summary>The commands of the chapter as they stand; the script is told before how to reach this test's servers.</summary>
    private async Task<(JsonElement[] Rows, int ExitCode)> RunChapterAsync(string[] names, int block = 0, string before = "")
    {
        string readme = await File.ReadAllTextAsync(Path.Combine(Checkout.Root, "README.md"));
        string chapter = readme[readme.IndexOf("## A hundred machines", StringComparison.Ordinal)..];
        string commands = Regex.Matches(chapter, "```powershell\n(.*?)```", RegexOptions.Singleline)[block].Groups[1].Value;
        return await RunAsync(names, before + Regex.Replace(commands, @"\|\s+Format-Table .*", $"| {Fleet.ToRows}"));
    }

    private async Task<(JsonElement[] Rows, int ExitCode)> RunAsync(string[] names, string commands)
    {
        (JsonElement[] rows, int exitCode, string output) = await _fleet.RunAsync(_registry ?? _mirror!.Address, Path.GetDirectoryName(_package.Path)!, names, commands);
        _output.WriteLine(output);
        return (rows, exitCode);
    }
}
