namespace PSModel.Core.Registry;

/// <summary>For work that blocks: a thread of its own, since the pool has few and others need them, and pauses. Stateless and
/// thread-safe.</summary>
internal static class BlockingWork
{
    /// <summary>Starts the work; the task ends with it, and with its exception.</summary>
    public static Task RunAsync(Action work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>Starts the work; the task ends with what it gives, and with its exception.</summary>
    public static Task<T> RunAsync<T>(Func<T> work) =>
        Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>Ends when a task has ended, however that was: its exception is told of elsewhere, or nowhere.</summary>
    public static Task SettleAsync(Task task) =>
        task.ContinueWith(static ended => _ = ended.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    /// <summary>Returns when a task has ended, as <see cref="SettleAsync"/> does.</summary>
    public static void Settle(Task task) => SettleAsync(task).Wait();

    /// <summary>Holds the caller's thread up for so long; none where that is no time at all.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled, before it or meanwhile.</exception>
    public static void Pause(TimeSpan time, CancellationToken cancellationToken)
    {
        // Reads without a limit come here as well, and need no handle.
        if (time > TimeSpan.Zero)
        {
            cancellationToken.WaitHandle.WaitOne(time);
        }

        cancellationToken.ThrowIfCancellationRequested();
    }
}
