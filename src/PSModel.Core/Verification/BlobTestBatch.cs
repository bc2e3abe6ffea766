namespace PSModel.Core.Verification;

/// <summary>Runs tests of several blobs. Stateless and thread-safe.</summary>
public static class BlobTestBatch
{
    /// <summary>Runs all tests, so many at a time.</summary>
    /// <param name="tests">The tests.</param>
    /// <param name="limit">The most that run at a time.</param>
    /// <param name="onDone">Told of each test when it and all before it are done.</param>
    /// <param name="cancellationToken">Stops all; when the call returns, every file is closed.</param>
    public static async Task RunAsync(IReadOnlyCollection<BlobTest> tests, int limit, Action<BlobTest> onDone, CancellationToken cancellationToken)
    {
        using SemaphoreSlim slots = new(limit);
        List<Task> running = tests.Select(test => RunOneAsync(test, slots, cancellationToken)).ToList();
        try
        {
            int next = 0;
            foreach (BlobTest test in tests)
            {
                await running[next++].ConfigureAwait(false);
                onDone(test);
            }
        }
        finally
        {
            await Task.WhenAll(running).ConfigureAwait(false);
        }
    }

    private static async Task RunOneAsync(BlobTest test, SemaphoreSlim slots, CancellationToken cancellationToken)
    {
        await slots.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await Task.Run(() => test.RunAsync(cancellationToken), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            slots.Release();
        }
    }
}
