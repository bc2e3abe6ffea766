using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using PSModel.Campaign.Checking;
using PSModel.Campaign.Reporting;
using PSModel.TestParts;

namespace PSModel.Campaign.Calls;

/// <summary>A call in a process of its own, which is killed.</summary>
internal static class ChildCall
{
    /// <summary>What this program is started with to run one.</summary>
    public const string Command = "call";

    /// <summary><c>SIGCONT</c> and <c>SIGSTOP</c> of Linux.</summary>
    private const int Continue = 18;

    private const int Halt = 19;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>Runs the call in this process.</summary>
    public static async Task<int> RunAsync(string text)
    {
        CallPlan plan = JsonSerializer.Deserialize<CallPlan>(text)!;
        PartReport report = new(Command);
        await new CallRunner(new Checker(report, 0), static () => 0).RunAsync(plan with { StopAfter = null, StopAtBytes = null });
        foreach (Violation violation in report.Violations)
        {
            Console.WriteLine($"{violation.Invariant}: {violation.Text}");
        }

        return report.Violations.Count;
    }

    /// <summary>Runs the call in another process, and kills that.</summary>
    public static async Task<CallResult> RunKilledAsync(CallPlan plan, Checker checker, Func<long> sent)
    {
        long before = sent();
        using ChildProcess child = ChildProcess.Start("dotnet", [typeof(ChildCall).Assembly.Location, Command, JsonSerializer.Serialize(plan)]);
        Task<int> ending = child.WaitAsync(Patience);
        Stopwatch? since = null;
        while (!ending.IsCompleted)
        {
            await Task.WhenAny(ending, Task.Delay(1));

            // It takes a while to start: what counts is the time since it came.
            since ??= sent() > before ? Stopwatch.StartNew() : null;
            if (sent() - before >= plan.StopAtBytes || since?.ElapsedMilliseconds >= plan.StopAfter)
            {
                if (plan.IsHalted)
                {
                    _ = Signal(child.Id, Halt);
                    await Task.Delay(200);
                    _ = Signal(child.Id, Continue);
                }

                await child.KillAsync();
                return new CallResult { IsStopped = true };
            }
        }

        int code = await ending;
        checker.That(code == 0, "what held in a process of its own", () => child.Output + child.Error);
        return new CallResult { IsStopped = true };
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Signal(int process, int signal);
}
