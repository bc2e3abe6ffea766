namespace PSModel.Core.Verification;

/// <summary>Runs checks of several blobs. Stateless and thread-safe.</summary>
public static class BlobCheckBatch
{
    /// <summary>Runs all checks, so many at a time.</summary>
    /// <param name="checks">The checks.</param>
    /// <param name="limit">The most that run at a time.</param>
    /// <param name="onDone">Told of each check when it and all before it are done.</param>
    /// <param name="cancellationToken">Stops all; when the call returns, every file is closed.</param>
    public static async Task RunAsync<T>(IReadOnlyCollection<T> checks, int limit, Action<T> onDone, CancellationToken cancellationToken)
        where T : IBlobCheck
    {
        using SemaphoreSlim slots = new(limit);
        List<Task> running = checks.Select(check => RunOneAsync(check, slots, cancellationToken)).ToList();
        try
        {
            int next = 0;
            foreach (T check in checks)
            {
                await running[next++].ConfigureAwait(false);
                onDone(check);
            }
        }
        finally
        {
            await Task.WhenAll(running).ConfigureAwait(false);
        }
    }

    private static async Task RunOneAsync(IBlobCheck check, SemaphoreSlim slots, CancellationToken cancellationToken)
    {
        await slots.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await Task.Run(() => check.RunAsync(cancellationToken), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            slots.Release();
        }
    }
}
