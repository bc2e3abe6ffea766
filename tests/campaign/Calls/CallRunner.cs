using System.Diagnostics;
using PSModel.Campaign.Checking;
using PSModel.Core.Faults;
using PSModel.Core.Names;
using PSModel.Core.Registry;
using PSModel.Core.Store;
using PSModel.Core.Transfer;

namespace PSModel.Campaign.Calls;

/// <summary>Runs a call in this process, and checks what must hold of it.</summary>
/// <param name="checker">Told what held and what did not.</param>
/// <param name="sent">The bytes of blobs that the registry has sent.</param>
internal sealed class CallRunner(Checker checker, Func<long> sent)
{
    private const int KiB = 1024;

    /// <summary>No scenario lets a call take longer, were the machine ten times slower.</summary>
    private static readonly TimeSpan LongestCall = TimeSpan.FromMinutes(1);

    /// <summary>A second is promised, and the table tells the slowest; the rest is for a machine with much else to do.</summary>
    private static readonly TimeSpan LongestStop = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(2);

    /// <summary>Told of each blob that was told to be in the store.</summary>
    public Action<string>? BlobSaved { get; init; }

    /// <summary>Told of each model that was told to be saved.</summary>
    public Action<string>? ModelSaved { get; init; }

    public static RegistryOptions RegistryOptions(CallPlan plan) => new()
    {
        ConnectionTimeout = plan.IsPatient ? TimeSpan.FromSeconds(30) : TimeSpan.FromMilliseconds(700),
        OperationTimeout = plan.IsPatient ? TimeSpan.FromSeconds(30) : TimeSpan.FromMilliseconds(400),
        MaximumRetryCount = plan.IsPatient ? 6 : plan.Retries,
        RetryInterval = TimeSpan.FromMilliseconds(10),
    };

    /// <summary>So small that a few mebibytes fill everything.</summary>
    public static TransferOptions TransferOptions(CallPlan plan) => new()
    {
        Connections = plan.Connections,
        ReadBack = plan.ReadBack,
        Force = plan.Force,
        Repair = plan.Repair,
        BandwidthLimit = plan.BandwidthLimit,
        Window = 2048 * KiB,
        LargestLoss = 1024 * KiB,
        CheckpointInterval = 256 * KiB,
    };

    public async Task<CallResult> RunAsync(CallPlan plan)
    {
        CampaignObserver observer = new(checker) { BlobSaved = BlobSaved, ModelSaved = ModelSaved };
        using CancellationTokenSource stop = new();
        RegistryOptions options = RegistryOptions(plan);
        options.Trace = observer.Trace;
        using RegistryClient client = new(options);
        ModelSaver saver = new(client, new ModelStore(plan.Store), TransferOptions(plan));
        List<ModelRequest> requests = [.. plan.Names.Select(name => new ModelRequest(name, token => client.GetManifest(ModelName.Parse(name), token)))];
        Task saving = Task.Run(() => saver.SaveAsync(requests, [], observer, stop.Token));
        if (!await EndsAsync(plan, saving, stop, observer))
        {
            return new CallResult { IsStopped = true };
        }

        bool isStopped = stop.IsCancellationRequested && saving.IsCanceled;
        LookAtEnd(saving, isStopped);
        observer.LookAtEnd(isStopped || saving.IsFaulted, plan.Names);
        return new CallResult { IsStopped = isStopped || saving.IsFaulted, Faults = observer.Faults };
    }

    /// <summary>Whether it ended in time.</summary>
    private async Task<bool> EndsAsync(CallPlan plan, Task saving, CancellationTokenSource stop, CampaignObserver observer)
    {
        Stopwatch clock = Stopwatch.StartNew();
        long before = sent();
        TimeSpan? stopped = null;
        while (await Task.WhenAny(saving, Task.Delay(Look)) != saving)
        {
            observer.LookAtProgress();
            if (stopped is null && (clock.ElapsedMilliseconds >= plan.StopAfter || sent() - before >= plan.StopAtBytes))
            {
                stopped = clock.Elapsed;
                await stop.CancelAsync();
            }

            TimeSpan bound = stopped is { } moment ? moment + LongestCall : LongestCall;
            if (clock.Elapsed > bound)
            {
                checker.That(false, "an end within a bound", () => $"after {clock.Elapsed.TotalSeconds:0} s it still runs{(stopped is null ? string.Empty : ", stopped as it is")}; {observer.Progress}");
                return false;
            }
        }

        checker.That(true, "an end within a bound", () => string.Empty);
        if (stopped is { } at)
        {
            TimeSpan took = clock.Elapsed - at;
            checker.Report.NoteStop(took);
            checker.That(took < LongestStop, "stopped at once", () => $"it took {took.TotalSeconds:0.0} s");
        }

        observer.LookAtProgress();
        return true;
    }

    private void LookAtEnd(Task saving, bool isStopped)
    {
        Exception? raw = saving.Exception?.InnerException;
        checker.That(
            (raw is null && !saving.IsCanceled) || isStopped || raw is ModelFaultException,
            "faults with an id",
            () => raw?.ToString() ?? "cancelled by nobody");
    }
}
