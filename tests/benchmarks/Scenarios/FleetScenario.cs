using System.Text.Json;
using PSModel.Benchmarks.Measuring;
using PSModel.Benchmarks.Servers;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Benchmarks.Scenarios;

/// <summary>
/// A hundred machines save a model from one mirror by the sample's script, and one that is killed in the middle begins again. What
/// crosses the uplink is counted there.
/// </summary>
internal sealed class FleetScenario(BenchmarkOptions options, Report report) : Scenario(options, report)
{
    private const int Hosts = 8;
    private const int MachinesOfHost = 13;
    private const int Machines = 100;

    /// <summary>Their stores are emptied before the next ones begin: a disk need not hold a hundred.</summary>
    private const int Batch = 20;

    private const double BoundOfUplink = 1;
    private const double BoundOfTwice = 96;

    /// <summary>On each connection, so that a blob takes long enough to be killed in its middle.</summary>
    private const long Slow = 20 * Units.MiB;

    public override string Name => "fleet";

    public override string[] Needs => [SshServer.Program, "ssh", DockerRegistry.Program, Nginx.Program];

    public override async Task RunAsync()
    {
        long size = Options.SizeOr(Units.GiB);
        using TemporaryFolder folder = new(Options.Disk);
        string packages = Directory.CreateDirectory(Path.Combine(folder.Path, "packages")).FullName;
        await ChildProcess.RunAsync("dotnet", "pack", Path.Combine(Checkout.Root, "src", "PSModel"), "--no-build", "-c", Checkout.Configuration, "-o", packages);
        using DockerRegistry origin = await DockerRegistry.StartAsync(Options.Folder);
        LoopbackModel model = BenchmarkModels.One(size, "fleet");
        await origin.PushAsync(model);
        using Fleet fleet = new(folder.Path);
        await fleet.StartAsync(Hosts, MachinesOfHost);
        Console.WriteLine($"A model of {size / Units.MiB} MiB from docker-registry, an nginx with proxy_cache as the mirror, {Machines} stores on {Hosts} addresses, stores on {Options.Disk}.");
        await SaveOnAllAsync(fleet, packages, origin.Address, model);
        await KillOneAsync(fleet, packages, origin.Address, model);
    }

    private async Task SaveOnAllAsync(Fleet fleet, string packages, Uri origin, LoopbackModel model)
    {
        using Uplink uplink = await Uplink.StartAsync(origin);
        using Uplink mirror = await Uplink.StartAsync(uplink.Address, isCache: true);

        // Those of a host have one place for modules, so the first of each comes first.
        (int Host, int Machine)[] all = [.. Enumerable.Range(0, Machines).Select(number => (number % Hosts, number / Hosts))];
        int saved = 0;
        for (int begun = 0; begun < Machines;)
        {
            (int Host, int Machine)[] batch = [.. all.Skip(begun).Take(begun == 0 ? Hosts : Batch)];
            (JsonElement[] rows, _, string output) = await fleet.RunAsync(mirror.Address, packages, batch.Select(one => fleet.Servers[one.Host].Names[one.Machine]), Script("-ThrottleLimit 4"));
            int now = rows.Count(row => Fleet.Text(row, "State") == "Saved");
            Console.WriteLine(now == batch.Length ? $"{now} saved" : output);
            saved += now;
            begun += batch.Length;
            Array.ForEach(batch, one => Empty(fleet.StoreOf(one.Host, one.Machine)));
        }

        Report.AtMost($"fleet, machines of {Machines} that have not the model", Machines - saved, 0, "machines");
        Report.AtMost("fleet, bytes of the blob over the uplink against its own", (double)uplink.BytesOfBlobs()[model.Blobs[0].Digest] / model.Blobs[0].Length, BoundOfUplink);
    }

    private async Task KillOneAsync(Fleet fleet, string packages, Uri origin, LoopbackModel model)
    {
        long size = model.Blobs[0].Length;
        using Uplink mirror = await Uplink.StartAsync(origin, bytesPerSecond: Slow);
        string[] names = [fleet.Servers[0].Names[0]];
        Task first = fleet.RunAsync(mirror.Address, packages, names, Script());
        await Until.HoldsAsync(() => first.IsCompleted || fleet.Partial(0) is { Exists: true, Length: var length } && length > size / 2);
        await SshServer.SignalAsync("KILL", "OLLAMA_MODELS", fleet.StoreOf(0, 0));
        await first;
        (JsonElement[] rows, _, string output) = await fleet.RunAsync(mirror.Address, packages, names, Script());
        if (Fleet.Text(rows[0], "State") != "Saved")
        {
            throw new InvalidOperationException(output);
        }

        Report.AtMost("fleet, what came twice to one that was killed, those in its sockets included", (double)(mirror.BytesOfBlobs()[model.Blobs[0].Digest] - size) / Units.MiB, BoundOfTwice, "MiB");
    }

    private static string Script(string more = "") => Fleet.Script("fleet", more);

    private static void Empty(string store)
    {
        if (Directory.Exists(store))
        {
            Directory.Delete(store, recursive: true);
        }
    }
}
