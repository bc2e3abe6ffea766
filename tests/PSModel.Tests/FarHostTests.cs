using System.Text.Json;
using PSModel.Loopback;
using PSModel.TestParts;
using Xunit.Abstractions;

namespace PSModel.Tests;

/// <summary>A machine that is reached by a network and not by loopback, and a mirror on another machine than it.</summary>
public sealed class FarHostTests : IClassFixture<ModulePackage>, IDisposable
{
    private const int MiB = 1024 * 1024;

    private readonly TemporaryFolder _folder = new();
    private readonly Fleet _fleet;
    private readonly ModulePackage _package;
    private readonly ITestOutputHelper _output;

    public FarHostTests(ModulePackage package, ITestOutputHelper output)
    {
        _package = package;
        _output = output;
        _fleet = new Fleet(_folder.Path);
    }

    /// <summary>A cable that is pulled tells no connection of it, which loopback cannot show.</summary>
    [NeedsFact(SshServer.Program, "ssh", DockerRegistry.Program, Nginx.Program, NetworkHost.Program, Root = true, Networks = true)]
    public async Task A_machine_of_another_network_uses_a_mirror_of_plain_http_where_that_is_allowed_and_is_told_of_when_its_cable_was_pulled()
    {
        LoopbackModel model = LoopbackModel.Generate("library/gemma4", "31b", 40 * MiB);
        using DockerRegistry origin = await DockerRegistry.StartAsync();
        await origin.PushAsync(model);
        await using NetworkHost far = await NetworkHost.StartAsync();
        using Uplink mirror = await Uplink.StartAsync(origin.Address, bytesPerSecond: MiB, host: far.Here);
        await _fleet.StartAsync(far);

        JsonElement row = await RunAsync(mirror);
        Assert.Equal(("Failed", "UnencryptedRefused"), (Fleet.Text(row, "State"), Fleet.Text(row, "ErrorId")));
        Assert.Contains("-AllowUnencrypted", Fleet.Text(row, "RecommendedAction"), StringComparison.Ordinal);

        Task<JsonElement> run = RunAsync(mirror, "-AllowUnencrypted -SilenceTimeoutSeconds 20");
        await Until.HoldsAsync(() => _fleet.Partial(0) is { Exists: true, Length: > 8 * MiB } || run.IsCompleted);
        Assert.False(run.IsCompleted);
        await far.UnplugAsync();
        row = await run;
        Assert.Equal(("Failed", "HostSilent"), (Fleet.Text(row, "State"), Fleet.Text(row, "ErrorId")));

        await far.PlugAsync();
        Assert.Matches("^(Saved|AlreadyPresent)$", Fleet.Text(await RunAsync(mirror, "-AllowUnencrypted"), "State"));
        Fleet.AssertThere(model, _fleet.StoreOf(0, 0));
    }

    public void Dispose()
    {
        _fleet.Dispose();
        _folder.Dispose();
    }

    private async Task<JsonElement> RunAsync(Uplink mirror, string more = "")
    {
        (JsonElement[] rows, _, string output) = await _fleet.RunAsync(mirror.Address, Path.GetDirectoryName(_package.Path)!, [_fleet.Servers[0].Names[0]], Fleet.Script("gemma4:31b", more));
        _output.WriteLine(output);
        return Assert.Single(rows);
    }
}
