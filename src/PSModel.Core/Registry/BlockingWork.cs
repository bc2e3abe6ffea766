namespace PSModel.Core.Registry;

/// <summary>Runs work that waits for the network on a thread of its own, since the pool has few and others need them.
/// Thread-safe.</summary>
internal static class BlockingWork
{
    /// <summary>Starts the work; the task ends with it, and with its exception.</summary>
    public static Task RunAsync(Action work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
