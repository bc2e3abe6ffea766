using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using PSModel.Campaign.Calls;
using PSModel.Campaign.Checking;
using PSModel.Loopback;
using PSModel.TestParts;

namespace PSModel.Campaign.Storage;

/// <summary>A store that is no place to write to for a while: a folder of it vanishes, its volume is full or cannot be written,
/// or its folders lie on several volumes.</summary>
internal sealed class StorageMishap(CampaignOptions options, int index, Checker checker)
{
    /// <summary>The number of Debian's user without rights.</summary>
    private const uint Nobody = 65534;

    private readonly Random _random = new((options.Seed * 1_000_003) + index);

    public async Task RunAsync()
    {
        using TemporaryFolder folder = new(options.Folder);
        using TemporaryFolder other = new(Path.GetTempPath());
        await using LoopbackRegistry registry = LoopbackRegistry.Start();
        string store = Path.Combine(folder.Path, "models");
        Directory.CreateDirectory(store);
        SavedModels models = new();
        models.Add(registry, LoopbackModel.OfBlobs("library/demo", "latest", [BlobContent.Generate(_random.Next(2_000_000, 6_000_000), _random.Next()), BlobContent.Generate(_random.Next(90_000), _random.Next())]));
        CallRunner runner = new(checker, () => registry.BlobBytesSent);
        CallPlan plan = new() { Store = store, Names = models.Names, IsPatient = true };
        switch ((index / 10) % (Environment.UserName == "root" ? 5 : 2))
        {
            case 0:
                await VanishAsync(store, registry, runner, plan);
                break;
            case 1:
                await ScatterAsync(store, other.Path, runner, plan);
                break;
            case 2:
                await OnVolumeAsync(store, "size=1500k", "size=64m", runner, plan, models);
                return;
            case 3:
                await OnVolumeAsync(store, "ro", "rw", runner, plan, models);
                return;
            case 4 when !OperatingSystem.IsWindows():
                await WithoutPermissionAsync(store, runner, plan);
                break;
        }

        await FinishAsync(store, runner, plan, models);
    }

    private async Task FinishAsync(string store, CallRunner runner, CallPlan plan, SavedModels models)
    {
        CallResult result = await runner.RunAsync(plan);
        new StoreCheck(store, checker).Look();
        checker.That(result.IsWhole, "the next call succeeds", () => string.Join("; ", result.Faults.Select(fault => $"{fault.Fault}: {fault.Message}")));
        if (result.IsWhole)
        {
            models.LookAtWhole(store, checker);
        }
    }

    private async Task VanishAsync(string store, LoopbackRegistry registry, CallRunner runner, CallPlan plan)
    {
        string[] folders = [store, Path.Combine(store, ".psmodel"), Path.Combine(store, "blobs"), Path.Combine(store, "manifests")];
        string gone = folders[_random.Next(folders.Length)];
        checker.Step = $"'{Path.GetFileName(gone)}' vanishes";
        checker.Report.CountFault("vanishes");
        registry.Fault = (_, answer) => answer.BytesPerSecond = 20_000_000;
        long at = _random.Next(3_000_000);
        Task<CallResult> call = runner.RunAsync(plan);
        while (!call.IsCompleted && registry.BlobBytesSent < at)
        {
            await Task.Yield();
        }

        try
        {
            Directory.Delete(gone, recursive: true);
        }
        catch (IOException)
        {
            // Something was made in it at that moment, or it was not there yet: so it is only half gone.
        }

        await call;
        registry.Fault = null;
    }

    /// <summary>As a user who may not write in one of the folders.</summary>
    [UnsupportedOSPlatform("windows")]
    private async Task WithoutPermissionAsync(string store, CallRunner runner, CallPlan plan)
    {
        string[] names = [".", "blobs", "manifests", ".psmodel"];
        string denied = names[_random.Next(names.Length)];
        checker.Step = $"no permission for '{denied}'";
        checker.Report.CountFault("no permission");
        foreach (string name in names.Where(name => name == denied || denied != "."))
        {
            Directory.CreateDirectory(Path.Combine(store, name));
            File.SetUnixFileMode(Path.Combine(store, name), name == denied ? (UnixFileMode)0x16D : (UnixFileMode)0x1FF);
        }

        // Of the whole process, and of its files alone: all threads of it act as nobody then.
        _ = SetEffectiveUser(Nobody);
        try
        {
            CallResult result = await runner.RunAsync(plan);
            checker.That(!result.IsWhole, "an error where there is one", () => "none");
        }
        finally
        {
            _ = SetEffectiveUser(0);
        }

        new StoreCheck(store, checker).Look();
    }

    /// <summary>Folders that are links to another volume. No work is done through a link: one in its place is refused, where work is
    /// done there.</summary>
    private async Task ScatterAsync(string store, string other, CallRunner runner, CallPlan plan)
    {
        string[] folders = ["blobs", "manifests", ".psmodel"];
        int which = 1 + (index / 20 % 7);
        bool areBothElsewhere = (which & 3) == 3;
        bool isWorkElsewhere = (which & 4) != 0;
        foreach (string name in folders.Where((_, bit) => (which >> bit & 1) != 0))
        {
            Directory.CreateDirectory(Path.Combine(other, name));
            Directory.CreateSymbolicLink(Path.Combine(store, name), Path.Combine(other, name));
            checker.Step += $"'{name}' on another volume ";
        }

        checker.Report.CountFault("other volumes");
        if (isWorkElsewhere && !areBothElsewhere)
        {
            CallResult refused = await runner.RunAsync(plan);
            checker.That(!refused.IsWhole, "an error where there is one", () => "none");
            new StoreCheck(store, checker).Look();
            Directory.Delete(Path.Combine(store, ".psmodel"));
        }
    }

    private async Task OnVolumeAsync(string store, string first, string then, CallRunner runner, CallPlan plan, SavedModels models)
    {
        checker.Step = $"a volume that is {first}";
        checker.Report.CountFault($"volume {first}");
        await MountAsync("-t", "tmpfs", "-o", first, "none", store);
        try
        {
            CallResult result = await runner.RunAsync(plan);
            checker.That(!result.IsWhole, "an error where there is one", () => "none");
            new StoreCheck(store, checker).Look();
            await MountAsync("-o", $"remount,{then}", store);
            await FinishAsync(store, runner, plan, models);
        }
        finally
        {
            using ChildProcess unmount = ChildProcess.Start("umount", [store]);
            await unmount.WaitAsync();
        }
    }

    private static async Task MountAsync(params string[] arguments)
    {
        using ChildProcess mount = ChildProcess.Start("mount", arguments);
        if (await mount.WaitAsync() != 0)
        {
            throw new InvalidOperationException(mount.Error);
        }
    }

    [DllImport("libc", EntryPoint = "seteuid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetEffectiveUser(uint user);
}
